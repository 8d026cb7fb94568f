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
/** The servers that this machine has. The first one is always there: it is a dependency. */
export declare const installed: () => readonly Binaries[];
export declare const startPostgres: ({ label, folder }: Binaries) => Promise<Postgres>;
