import type { Binaries, Postgres } from './postgres.ts';
/** The role of side connections: it has no rights on any data. */
export declare const GUARD = "guard";
/** The corpus's database, `shop`, on a new server, with up-to-date statistics. */
export declare const startShop: (binaries: Binaries) => Promise<Postgres>;
export declare const classOf: (column: string) => string;
