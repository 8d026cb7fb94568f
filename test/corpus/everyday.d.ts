import type { Binaries, Postgres } from './postgres.ts';
export interface EverydayStatement {
    readonly tool: string;
    readonly sql: string;
}
export declare const everydayStatements: readonly EverydayStatement[];
export declare const everydaySchema: string;
/** Its database, `app`, on a new server. */
export declare const startEveryday: (binaries: Binaries) => Promise<Postgres>;
export declare const everydayClassOf: (column: string) => string;
