import { parseArgs } from 'node:util'
import { Principal, Target } from '@countersign/contracts'
import { loadParser } from '@countersign/sql'
import { corpus, everyday } from '../corpus/corpus.ts'
import { installed } from '../corpus/postgres.ts'
import { startShop } from '../corpus/shop.ts'
import { Rewriting, type Tally } from './campaign.ts'

/*
 * A campaign of rewritings (README.md): --conversations N of them from --seed N on; --replay SEED does one of them.
 */

const { values } = parseArgs({
  options: {
    conversations: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    replay: { type: 'string' },
  },
})

await loadParser()
const [binaries] = installed()
if (!binaries) throw new Error('no PostgreSQL on this machine')
const server = await startShop(binaries)
const statements = [...corpus.filter(({ setup }) => !setup).map(({ sql }) => sql), ...everyday]
const principal = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const rewriting = await Rewriting.over(
  server,
  { principal, target: Target.parse({ environment: 'prod', database: 'shop' }) },
  statements,
)
const tally: Tally = { tried: 0, judged: 0, weakened: [] }
const first = Number(values.replay ?? values.seed)
const count = values.replay === undefined ? Number(values.conversations) : 1
const until = performance.now() + 1_000 * Number(values.seconds ?? 86_400)
for (let seed = first; seed < first + count && performance.now() < until; seed++) await rewriting.attempt(seed, tally)
if (values.replay === undefined) await rewriting.asObjects(tally)
for (const { seed, how, original, rewritten, why } of tally.weakened)
  console.log(`seed ${seed} (${how}): ${why}\n  ${original}\n  ${rewritten}`)
console.log(
  `rewrites: ${tally.tried} tried of ${rewriting.statements} statements, ${tally.judged} taken by the server, ${tally.weakened.length} weakened`,
)
await rewriting.close()
await server.stop()
process.exitCode = tally.weakened.length === 0 ? 0 : 1
