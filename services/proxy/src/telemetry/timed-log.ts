import type { EventLog } from '@countersign/eventlog'

/** Appends to the same log, telling how long each append took that succeeded. */
export const timed = (log: EventLog, appended: (milliseconds: number) => void): Pick<EventLog, 'append'> => ({
  append: async (...record) => {
    const begun = performance.now()
    const position = await log.append(...record)
    appended(performance.now() - begun)
    return position
  },
})
