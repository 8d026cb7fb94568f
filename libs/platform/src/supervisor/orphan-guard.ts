/*
 * Loaded into every service before its own code (`node --import`). When the supervisor goes away, even while the
 * service is still starting and does not listen yet, the process ends: by itself within the time that a service has
 * for stopping cleanly (lifecycle.ts), and by this afterwards.
 */
const LATE_MS = 9_000

const endLater = (): void => {
  setTimeout(() => process.exit(1), LATE_MS)
}

process.once('disconnect', endLater)
// The channel is there to notice the end of the supervisor, not to keep a process alive that has nothing to do.
process.channel?.unref()
