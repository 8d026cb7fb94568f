export * from './accepts.ts'
export * from './event-log.ts'
