import { bind, close, copyData, copyDone, copyFail, describe, execute, flush, parse, query, sync } from './wire.ts'

/*
 * Conversations of a client, as plain data that can be generated, shrunk and printed.
 */

export type Say =
  | { readonly say: 'query'; readonly texts: readonly string[] }
  | { readonly say: 'parse'; readonly name: string; readonly text: string }
  | { readonly say: 'bind'; readonly portal: string; readonly name: string }
  | { readonly say: 'describe' | 'close'; readonly kind: 'S' | 'P'; readonly name: string }
  | { readonly say: 'execute'; readonly portal: string; readonly rowsMax: number }
  | { readonly say: 'copy'; readonly rows: readonly string[]; readonly end: 'done' | 'fail' }
  | { readonly say: 'sync' | 'flush' }

/** What happens around the client. `wait`: until everything is answered. */
export type Happening = {
  readonly happens: 'wait' | 'hold' | 'release' | 'silence' | 'speak' | 'settle' | 'ponder' | 'answer'
}

export type Step = Say | Happening

export const isSaying = (step: Step): step is Say => 'say' in step

/** Messages of a conversation. Each text gets a number of its own, so that whatever comes of it can be told apart. */
export const messagesOf = (step: Say, numbered: (text: string) => string): readonly Buffer[] => {
  switch (step.say) {
    case 'query':
      return [query(step.texts.map(numbered).join('; '))]
    case 'parse':
      return [parse(step.name, numbered(step.text))]
    case 'bind':
      return [bind(step.portal, step.name)]
    case 'describe':
      return [describe(step.kind, step.name)]
    case 'close':
      return [close(step.kind, step.name)]
    case 'execute':
      return [execute(step.portal, step.rowsMax)]
    case 'copy':
      return [...step.rows.map(copyData), step.end === 'done' ? copyDone : copyFail('enough')]
    case 'sync':
      return [sync]
    case 'flush':
      return [flush]
  }
}
