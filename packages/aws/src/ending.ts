// The noun of asynchronous.ts: how an operation that answered before it has happened ends. Types alone.

/** Where the value of an input member comes from, first present wins: `$` a parameter of the call, `!` a
 * member of its answer, `#` what was looked up before; `=` a constant. */
export type Origin = `${'$' | '!' | '#' | '='}${string}`

export interface Ending {
  /** The read, with its signing name. */
  readonly read: `${string}:${string}`
  readonly input: Readonly<Record<string, readonly Origin[] | { readonly list: readonly Origin[] }>>
  /** Where the states are in the answer, by wire names. */
  readonly state: string
  /** All of them these: it has happened. */
  readonly done: readonly string[]
  /** One of them this: it has failed. */
  readonly failed: readonly string[]
  /** What it means that there is no such thing any more. */
  readonly gone: 'succeeded' | 'failed'
  readonly absent: readonly string[]
  /** A member that must be empty too, such as changes that wait for a maintenance window. */
  readonly pending?: string
  /** The state before is one of `done` as well: it counts only when it was seen twice in a row. */
  readonly twice?: true
  readonly source: string
}
