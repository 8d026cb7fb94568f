/** Looks again until there is something to see. What it saw last is in the error when there never is. */
export declare const until: <T>(look: () => Promise<T | undefined> | T | undefined, timeoutMs?: number) => Promise<T>
