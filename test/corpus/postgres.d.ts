import { type ChildProcess } from 'node:child_process';
import { Client } from 'pg';
export interface Binaries {
    readonly label: string;
    readonly folder: string;
}
export interface Postgres {
    readonly label: string;
    readonly port: number;
    /** As `postgres`, who may do anything, or as another role. */
    readonly connect: (database: string, user?: string) => Promise<Client>;
    readonly stop: () => Promise<void>;
}
/** Those that `versions.setup.ts` fetches, for the project `versions`. */
export declare const OTHERS: string;
export declare const OTHER_VERSIONS: string[];
/** The servers to try: those that this machine has, or the other versions. */
export declare const installed: () => readonly Binaries[];
export interface More {
    /** Files of the data folder, `pg_hba.conf` perhaps. `postgres` must be let in from this machine without a password. */
    readonly files?: Readonly<Record<string, string>>;
    readonly settings?: Readonly<Record<string, string | number>>;
}
export declare const startPostgres: ({ label, folder }: Binaries, more?: More) => Promise<Postgres>;
export declare const settings: (own: More['settings']) => string[];
export declare const connection: (port: number, database: string, user: string) => Promise<Client>;
export declare const untilReady: (connect: Postgres['connect'], server: ChildProcess) => Promise<void>;
export declare const ended: (server: ChildProcess, signal?: NodeJS.Signals) => Promise<void>;
/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
export declare const serverOwner: () => {
    uid: number;
    gid: number;
} | undefined;
export declare const freePort: () => Promise<number>;
