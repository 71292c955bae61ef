// Loads the grammar of PostgreSQL itself (libpg-query: its parser compiled to WebAssembly) on the first call
// that holds SQL, and parses with it. Never called with a text that tokens.ts did not bound. In process,
// synchronous once loaded; no network, and the only disk it reads is its own code.

import type { JsonObject } from '../call.ts'

/** Levels of a tree: `1 + 1 + 1` is two deeper for each sign. Whoever walks it does so by recursion. */
export const TREE_DEPTH_MAX = 600

/** Of V8: a stack or memory that is exhausted, and a trap of WebAssembly. */
const TRAPS = new Set(['RangeError', 'RuntimeError'])

type Parse = (text: string) => unknown

let parser: Parse | undefined
let loading: Promise<void> | undefined

/** Makes `parsed` ready. Rejects where the library cannot be loaded; a gate then refuses the call. */
export function loadPostgres(): Promise<void> {
  loading ??= import('libpg-query').then(async (library) => {
    await library.loadModule()
    parser = library.parseSync
  })
  return loading
}

/** The one statement in `text` as PostgreSQL's parse tree; undefined where it is none, or not one. */
export function parsed(text: string): JsonObject | undefined {
  const found = statementsIn(text)
  if (found === undefined || found.length !== 1) return undefined
  const [{ stmt } = {}] = found
  return stmt !== undefined && isShallow(stmt) ? stmt : undefined
}

function isShallow(tree: JsonObject): boolean {
  let level: unknown[] = [tree]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > TREE_DEPTH_MAX) return false
    level = level.flatMap((value) =>
      value !== null && typeof value === 'object' ? Object.values(value) : [],
    )
  }
  return true
}

/** Whether the grammar was loaded in this process; without it no SQL is read. */
export function isLoaded(): boolean {
  return parser !== undefined
}

function statementsIn(text: string): { stmt?: JsonObject }[] | undefined {
  if (parser === undefined) return undefined
  try {
    return (parser(text) as { stmts?: { stmt?: JsonObject }[] }).stmts ?? []
  } catch (cause) {
    // A syntax error, or more than the parser's memory: either way the text has no meaning here, and
    // whoever asked goes on with the strictest one. A trap may leave the instance in any state: it is
    // used no more, and all SQL of this process is opaque from then on.
    if (cause instanceof Error && TRAPS.has(cause.name)) parser = undefined
    return undefined
  }
}
