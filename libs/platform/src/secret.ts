import { inspect } from 'node:util'

const SHOWN = '[secret]'

/**
 * A text that must not be seen: a password of the configuration. Whatever prints, logs, inspects, clones or
 * serialises it, or an object that holds it, gets its stand-in; only who asks by name gets the text.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  /** Whether it is still the same, for who compares one configuration with the next. */
  equals(other: Secret): boolean {
    return this.#text === other.#text
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
