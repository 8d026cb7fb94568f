import { startKafka } from '@countersign/testing'
import type { TestProject } from 'vitest/node'
import { SHORT_HOLDS } from './embedded.setup.ts'
import { Product } from './product.ts'

/** One product on a real Kafka broker for all files of a project. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const kafka = await startKafka()
  try {
    const args = ['--log', 'kafka', '--kafka-brokers', kafka.brokers.join(',')]
    const product = await Product.start(args, { env: SHORT_HOLDS })
    project.provide('home', product.home)
    project.provide('log', 'kafka')
    project.provide('brokerPid', kafka.pids[0] ?? 0)
    return async () => {
      await product.dispose()
      await kafka.stop()
    }
  } catch (error) {
    await kafka.stop()
    throw error
  }
}
