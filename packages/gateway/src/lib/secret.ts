// Makes a value that says nothing when it is printed. Only execute/ may call reveal(); the holder
// is no protection against code that does.

import { inspect } from 'node:util'

export const REDACTED = '[redacted]'

/** A key, token or password. In strings, JSON, templates and inspect it is `[redacted]`. */
export class Secret<Value extends string | Uint8Array = string> {
  readonly #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  /** The value itself, for the one place that needs it. */
  reveal(): Value {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
