import type { Difference } from './compare.ts'

/** By suite. Whatever else differs is a fault of the node. */
export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {}
