import { readdirSync, readFileSync } from 'node:fs'
import { installed } from './postgres.ts'
import { startShop, GUARD } from './shop.ts'
import { SideConnection, loadCatalogue } from './side-connection.ts'
import { loadParser, understand, judge, shapeOf, displayText, countQueries, SqlSyntaxError, SqlRefusedError, type Catalogue, type Facts } from '@countersign/sql'
await loadParser()
// psql-like split: outside quotes, at ; — use a crude splitter by lexer
const split = (sql: string): string[] => { const out: string[] = []; let cur = '', i = 0, paren = 0; const src = sql.replace(/^\\.*$/gm, '')
  while (i < src.length) { const c = src[i]!; 
    if (c === '-' && src[i+1] === '-') { const e = src.indexOf('\n', i); const k = e < 0 ? src.length : e; cur += src.slice(i, k); i = k; continue }
    if (c === '/' && src[i+1] === '*') { let d = 0; let k = i; do { if (src.startsWith('/*', k)) { d++; k += 2 } else if (src.startsWith('*/', k)) { d--; k += 2 } else k++ } while (d > 0 && k < src.length); cur += src.slice(i, k); i = k; continue }
    if (c === "'" ) { const esc = /[eE]$/.test(cur) && !/[a-z0-9_][eE]$/i.test(cur); let k = i + 1; while (k < src.length) { if (esc && src[k] === '\\') { k += 2; continue } if (src[k] === "'") { if (src[k+1] === "'") { k += 2; continue } break } k++ } cur += src.slice(i, k + 1); i = k + 1; continue }
    if (c === '"') { const k = src.indexOf('"', i + 1); cur += src.slice(i, k + 1); i = k + 1; continue }
    if (c === '$') { const m = /^\$([A-Za-z_]\w*)?\$/.exec(src.slice(i, i + 70)); if (m && !/\w$/.test(cur)) { const k = src.indexOf(m[0], i + m[0].length); if (k > 0) { cur += src.slice(i, k + m[0].length); i = k + m[0].length; continue } } }
    if (c === '(') paren++; if (c === ')') paren--
    if (c === ';' && paren <= 0 && !/begin\s+atomic(?![\s\S]*\bend\s*$)/i.test(cur)) { out.push(cur.trim()); cur = ''; i++; paren = 0; continue }
    cur += c; i++ }
  return [...out, cur.trim()].filter(Boolean) }
const dir = '/tmp/h6/regress/'
const mode = process.argv[2]
if (mode === 'parse') { let n = 0, bad = 0, refused = 0; const slow: [number,string][] = []; for (const f of readdirSync(dir)) for (const s of split(readFileSync(dir + f, 'utf8'))) { n++; const t0 = performance.now(); try { const u = understand(s); displayText(s, u); shapeOf(s); for (const c of u.commands) countQueries(c, s, 10) } catch (e) { if (e instanceof SqlSyntaxError || e instanceof SqlRefusedError) { refused++; displayText(s, undefined) } else { bad++; console.log('CRASH', f, s.slice(0, 200), (e as Error).stack?.slice(0,400)) } } slow.push([performance.now() - t0, s.slice(0,80)]) }
 slow.sort((a, b) => b[0] - a[0]); console.log({ n, bad, refused, p50: slow[slow.length >> 1]![0].toFixed(3), p99: slow[Math.floor(slow.length*.01)]![0].toFixed(2) }, slow.slice(0, 5)); process.exit(0) }
// live
const server = await startShop(installed().find(b => b.label.includes(mode!))!)
const stats = { n: 0, ro: 0, falseRo: 0, changed: 0, unresolved: 0, fails: 0, failsButRan: 0, ranRo: 0 }
const files = (process.argv[3] ?? '').split(',').filter(Boolean)
for (const f of files) {
  const adm = await server.connect('postgres'); const db = `r_${f.replace(/\W/g, '')}`; await adm.query(`create database ${db} template template0`); await adm.end()
  const client = await server.connect(db); client.on('error', () => {})
  const setup = readFileSync(dir + 'test_setup.sql', 'utf8'); if (f !== 'test_setup.sql') for (const s of split(setup)) await client.query(s).catch(() => {})
  const guard = await server.connect(db, GUARD); const side = await SideConnection.over(guard)
  let cat: Catalogue = await loadCatalogue(guard), dirty = false
  const prepared = new Map<string, Facts>(), cursors = new Map<string, Facts>()
  for (const s of split(readFileSync(dir + f, 'utf8'))) {
    let u; try { u = understand(s) } catch (e) { if (e instanceof SqlSyntaxError || e instanceof SqlRefusedError) { await client.query(s).catch(()=>{}); continue } throw e }
    if (u.commands.length !== 1) { await client.query(s).catch(() => {}); dirty = true; continue }
    const c = u.commands[0]!; stats.n++
    if (dirty) { cat = await loadCatalogue(guard).catch(() => cat); dirty = false }
    let path: { p: string[]; a: string[]; inx: boolean } = { p: ['public'], a: ['pg_catalog', 'public'], inx: false }
    try { const r = await client.query("select current_schemas(false)::text[] p, current_schemas(true)::text[] a"); path = r.rows[0] } catch { /* failed tx */ }
    let temporary = new Map<string, 'table' | 'other'>(); try { temporary = new Map((await client.query({ text: "SELECT c.relname, CASE WHEN c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules THEN 'table' ELSE 'other' END FROM pg_class c WHERE c.relnamespace = pg_my_temp_schema() and relkind<>'i'", rowMode: 'array' })).rows as never) } catch { /* */ }
    await side.path(path.p.filter(x => !x.startsWith('pg_temp')))
    let inOpenTx = false; try { inOpenTx = (await client.query("select now() <> statement_timestamp() and pg_current_xact_id_if_assigned() is not null o")).rows[0].o } catch { inOpenTx = true }
    const a = c.analysable ? await side.analyse(c.analysable, cat) : undefined
    let facts: Facts
    try { facts = judge(c, a, cat, { searchPath: path.a.filter(x => !x.startsWith('pg_temp')), temporary, changedSchema: inOpenTx, prepared: n => prepared.get(n), cursor: n => cursors.get(n) }) } catch (e) { console.log('JUDGE CRASH', f, s.slice(0, 300), (e as Error).stack?.slice(0, 600)); continue }
    if (c.prepares !== undefined) prepared.set(c.prepares, facts); if (c.declares !== undefined) cursors.set(c.declares, facts)
    if (facts.readOnly) stats.ro++; if (facts.unresolved) stats.unresolved++; if (facts.fails) stats.fails++
    // execute; is an xid assigned?
    const isTx = c.transaction !== undefined
    let before: string | null = null, ok = true, xid: string | null = null
    try { const t = await client.query("select pg_current_xact_id_if_assigned()::text x, (select count(*) from pg_stat_activity where pid = pg_backend_pid() and xact_start = query_start) q"); before = t.rows[0].x } catch { /* */ }
    if (isTx || /^\s*(vacuum|cluster|reindex|create (unique )?index concurrently|drop index concurrently|copy .* from stdin|create database|drop database|alter system|create tablespace|drop tablespace|call|do)/i.test(s) || c.node === 'DiscardStmt') { await Promise.race([client.query(s).catch(() => { ok = false }), new Promise(r => setTimeout(r, 20000))]); dirty = true; continue }
    const inTx = before !== null || (await client.query('select 1').then(() => false, () => true)) 
    let own = false
    try { await client.query('savepoint zz_probe'); } catch { try { await client.query('begin'); own = true } catch { /* aborted */ } }
    try { if (/^\s*copy/i.test(s) && /stdout|stdin/i.test(s)) throw new Error('skip'); await client.query(s) } catch (e) { ok = false; void e }
    try { if (ok) xid = (await client.query('select pg_current_xact_id_if_assigned()::text x')).rows[0].x } catch { /* */ }
    if (own) { await client.query(ok ? 'commit' : 'rollback').catch(() => {}) } else { await client.query(ok ? 'release savepoint zz_probe' : 'rollback to savepoint zz_probe').catch(() => {}) }
    void inTx
    if (ok && own && xid) { stats.changed++; if (facts.readOnly && !/txid_current|pg_current_xact_id\b/.test(s)) { stats.falseRo++; console.log('FALSE READ-ONLY', f, '|', s.slice(0, 300)) } }
    if (ok && own && !xid && facts.readOnly) stats.ranRo++
    if (ok && facts.fails) { stats.failsButRan++; console.log('FAILS BUT RAN', facts.fails, f, '|', s.slice(0, 200)) }
    if (ok && (xid || !own)) dirty = /create|alter|drop|grant|revoke|comment|into/i.test(s)
  }
  await client.end().catch(() => {}); await guard.end()
  console.log(f, JSON.stringify(stats))
}
await server.stop(); process.exit(0)
