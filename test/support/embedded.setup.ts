import type { TestProject } from 'vitest/node'
import { Product } from './product.ts'

/** So that a test of what happens when nobody answers does not take half a minute. */
export const SHORT_HOLDS = { COUNTERSIGN_HOLDS_INLINE_SECONDS: '8', COUNTERSIGN_HOLDS_HEARTBEAT_SECONDS: '2' }

/** One product on the embedded log for all files of a project. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const product = await Product.start([], { env: SHORT_HOLDS })
  project.provide('home', product.home)
  project.provide('log', 'embedded')
  return () => product.dispose()
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Home of the product that the project's files share. */
    home: string
    log: 'embedded' | 'kafka'
    /** The broker's process, where there is one. */
    brokerPid: number
  }
}
