import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedBinaries, placeBinaries, postgresAccount } from '@countersign/platform';
import { Client } from 'pg';
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Where the server's account can execute them, wherever this project lies. */
const reachable = (directory, version) => join(placeBinaries({ directory, version }, postgresAccount()), 'bin');
const embedded = () => {
    const { directory, version } = embeddedBinaries();
    return reachable(directory, version);
};
/** Those that `versions.setup.ts` fetches, for the project `versions`. */
export const OTHERS = join(root, '.cache/clients/postgres-versions');
export const OTHER_VERSIONS = ['13.23.0-beta.16', '14.23.0-beta.17', '16.14.0-beta.17', '17.10.0-beta.17'];
/** The servers to try: those that this machine has, or the other versions. */
export const installed = () => process.env['COUNTERSIGN_TEST_POSTGRES'] === 'others'
    ? OTHER_VERSIONS.map((version) => ({
        label: `embedded ${version.split('.')[0]}`,
        folder: reachable(join(OTHERS, version, 'package/native'), version),
    }))
    : [
        { label: 'embedded 18', folder: embedded() },
        { label: 'debian 15', folder: '/usr/lib/postgresql/15/bin' },
    ].filter(({ folder }) => existsSync(join(folder, 'postgres')));
export const startPostgres = async ({ label, folder }, more = {}) => {
    const owner = serverOwner();
    const home = mkdtempSync(join(tmpdir(), 'corpus-'));
    if (owner)
        chownSync(home, owner.uid, owner.gid);
    const data = join(home, 'data');
    const initdb = spawnSync(join(folder, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...owner, cwd: home, encoding: 'utf8' });
    if (initdb.status !== 0)
        throw new Error(`initdb of ${label} failed: ${initdb.stderr}`);
    for (const [name, text] of Object.entries(more.files ?? {})) {
        writeFileSync(join(data, name), text, { mode: 0o600 });
        if (owner)
            chownSync(join(data, name), owner.uid, owner.gid);
    }
    const port = await freePort();
    const server = spawn(join(folder, 'postgres'), ['-D', data, ...settings({ port, ...more.settings })], { ...owner, cwd: home, stdio: 'ignore' });
    const atExit = () => server.kill('SIGINT'); // A test run that breaks off leaves no server behind.
    process.once('exit', atExit);
    const connect = (database, user = 'postgres') => connection(port, database, user);
    const stop = async () => {
        await ended(server);
        process.off('exit', atExit);
        rmSync(home, { recursive: true, force: true });
    };
    await untilReady(connect, server).catch(async (error) => {
        await stop();
        throw error;
    });
    return { label, port, connect, stop };
};
export const settings = (own) => Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    max_connections: 40,
    autovacuum: 'off',
    log_min_messages: 'fatal',
    ...own,
}).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
export const connection = async (port, database, user) => {
    const client = new Client({ host: '127.0.0.1', port, user, database });
    await client.connect();
    return client;
};
export const untilReady = async (connect, server) => {
    for (let attempt = 0; attempt < 200; attempt++) {
        if (server.exitCode !== null)
            throw new Error(`postgres ended at once with ${server.exitCode}`);
        const client = await connect('postgres').catch(() => undefined);
        if (client)
            return client.end();
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('postgres did not get ready');
};
export const ended = (server, signal = 'SIGINT') => new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null)
        return resolve();
    server.once('exit', () => resolve());
    server.kill(signal); // SIGINT: fast shutdown.
});
/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
export const serverOwner = () => {
    if (process.getuid?.() !== 0)
        return undefined;
    const users = readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .map((line) => line.split(':'));
    const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
    return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) };
};
export const freePort = () => new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
});
//# sourceMappingURL=postgres.js.map