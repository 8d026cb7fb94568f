import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from './postgres.js';
import { GUARD } from './shop.js';
/*
 * What ORMs, tools and analysts send all day, against everyday/schema.sql. Each file says where its statements come
 * from: made by the tool itself, or written as it sends them.
 */
const folder = join(dirname(fileURLToPath(import.meta.url)), 'everyday');
export const everydayStatements = readdirSync(folder)
    .filter((file) => file.endsWith('.sql') && file !== 'schema.sql')
    .flatMap((file) => paragraphsOf(readFileSync(join(folder, file), 'utf8')).map((sql) => ({ tool: file.slice(0, -4), sql })));
/** A paragraph each; a comment of its own is none. */
function paragraphsOf(text) {
    return text
        .split(/\n\s*\n/)
        .map((paragraph) => paragraph.replaceAll(/^--.*$/gm, '').trim())
        .filter((statement) => statement !== '');
}
export const everydaySchema = readFileSync(join(folder, 'schema.sql'), 'utf8');
/** Its database, `app`, on a new server. */
export const startEveryday = async (binaries) => {
    const server = await startPostgres(binaries);
    const admin = await server.connect('postgres');
    await admin.query('CREATE DATABASE app');
    await admin.query(`CREATE ROLE ${GUARD} LOGIN`);
    await admin.end();
    const app = await server.connect('app');
    await app.query(everydaySchema);
    await app.end();
    return server;
};
/** What an application's columns hold. */
const CLASSES = {
    'public.users.email': 'email',
    'public.users.name': 'person-name',
    'public.users.profile': 'free-text',
    'public.comments.body': 'free-text',
};
export const everydayClassOf = (column) => CLASSES[column] ?? 'clear';
//# sourceMappingURL=everyday.js.map