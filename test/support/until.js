import { setTimeout as sleep } from 'node:timers/promises';
/** Looks again until there is something to see. What it saw last is in the error when there never is. */
export const until = async (look, timeoutMs = 10_000) => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
        const seen = await look();
        if (seen !== undefined)
            return seen;
        if (Date.now() > deadline)
            throw new Error(`nothing after ${timeoutMs} ms: ${look.toString()}`);
        await sleep(20);
    }
};
//# sourceMappingURL=until.js.map