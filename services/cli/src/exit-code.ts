/** What a script can tell from how a command ended. */
export const EXIT = { ok: 0, failed: 1, usage: 2, approvalRequired: 3, denied: 4, expired: 5 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
