import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { contractsOf, FAMILIES, StoredEvent } from '@countersign/contracts'

export const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Every version of every event that there has been, with the family that reads it. */
export const CONTRACTS = [...FAMILIES.values()].flatMap((family) =>
  contractsOf(family).map((contract) => ({ name: `${contract.type}@${contract.version}`, contract, family })),
)

export type Golden = (typeof CONTRACTS)[number]

/** A golden file: events of one version, as they lie in records. */
export const samplesOf = (name: string): readonly StoredEvent[] =>
  StoredEvent.array()
    .min(1)
    .parse(JSON.parse(readFileSync(pathOf(`golden/${name}.json`), 'utf8')))

/** What today's reader should make of them. A version that is written today is read as it was written. */
export const expectedOf = ({ name, contract, family }: Golden): readonly StoredEvent[] =>
  family.current.includes(contract)
    ? samplesOf(name)
    : StoredEvent.array().parse(JSON.parse(readFileSync(pathOf(`lifted/${name}.json`), 'utf8')))

export const readGolden = (path: string): Buffer => readFileSync(pathOf(`golden/${path}`))
