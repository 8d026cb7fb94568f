/** One statement of the guardrail corpus, with the verdict that is right for it (README.md). */
export interface CorpusRow {
    readonly id: string;
    readonly sql: string;
    readonly class: string;
    readonly should: 'allow' | 'review' | 'deny';
    readonly why: string;
    readonly setup?: readonly string[];
    readonly pii?: readonly string[];
    readonly sqlstate15?: string;
}
export declare const corpus: readonly CorpusRow[];
export declare const schema: string;
export declare const roles: string;
/** Ordinary statements, all of which are allowed: a paragraph each, after its comment lines. */
export declare const everyday: readonly string[];
