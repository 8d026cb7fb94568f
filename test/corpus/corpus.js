import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
const folder = dirname(fileURLToPath(import.meta.url));
const read = (file) => readFileSync(join(folder, file), 'utf8');
export const corpus = read('guard.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
export const schema = read('schema.sql');
export const roles = read('roles.sql');
/** Ordinary statements, all of which are allowed: a paragraph each, after its comment lines. */
export const everyday = read('everyday.sql')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/^--.*$/gm, '').trim())
    .filter((statement) => statement !== '');
//# sourceMappingURL=corpus.js.map