import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventLogContract, type LogUnderTest } from '@countersign/testing'
import { openEmbeddedLog, type EmbeddedOptions } from './embedded-log.ts'

interface EmbeddedUnderTest extends LogUnderTest {
  readonly options: EmbeddedOptions
}

const makeEmbedded = async (): Promise<EmbeddedUnderTest> => {
  const home = await mkdtemp(join(tmpdir(), 'countersign-log-'))
  const options: EmbeddedOptions = { kind: 'embedded', directory: join(home, 'log') }
  return { options, open: () => openEmbeddedLog(options), remove: () => rm(home, { recursive: true }) }
}

eventLogContract('embedded', {
  make: makeEmbedded,
  kills: 60,
  outages: [
    {
      name: 'its directory is not writable',
      begin: ({ options }) => chmod(options.directory, 0o500),
      end: ({ options }) => chmod(options.directory, 0o700),
    },
    {
      name: 'its directory is somewhere else',
      begin: ({ options }) => rename(options.directory, `${options.directory}-elsewhere`),
      end: ({ options }) => rename(`${options.directory}-elsewhere`, options.directory),
    },
  ],
})
