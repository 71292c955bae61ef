// Takes a changed seconder.yaml into a running gate: all of it or nothing. Only what decides nothing can be taken;
// everything else is refused by the name of its key, and the gate goes on as it was.
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import { RELOADED } from './lib/reloaded.ts'

/** What decides: it is in force by two people's signatures, never by a file alone. */
const SIGNED: ReadonlySet<string> = new Set([
  'policies',
  'environments',
  'roles',
  'roleReach',
  'protect',
  'trustedAccounts',
  'membership',
  'witnesses',
  'review.breakGlass',
])

export interface Reloaded {
  /** The sections that are other than before, by their keys. */
  readonly changed: readonly string[]
}

/** `Config` as a file says it. */
export interface ConfigFile {
  /** What is in the file, checked and not put together. */
  readonly raw: Readonly<Record<string, unknown>>
  /** Reads it again, under the environment of the start. Errors: `invalid_config`. */
  readonly again: () => Config
}

/**
 * Reads the file again and returns it, with what is other in it. Errors: `invalid_config` where it cannot be read;
 * `reload_refused` where something changed in it that a running gate does not take, naming the first of it.
 */
export function readAgain(running: Config): { readonly next: Config; readonly changed: string[] } {
  const { file } = running
  if (!file) throw refused('this gate was not started from a file', 'start it with --config')
  const next = file.again()
  const before = file.raw
  const after = next.file?.raw ?? {}
  const changed: string[] = []
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[key], after[key])) continue
    if (!RELOADED.has(key)) throw notTaken(firstDifference(before[key], after[key], key))
    changed.push(key)
  }
  return { next, changed: changed.sort() }
}

function notTaken(key: string): GatewayError {
  const section = key.split('.', 1)[0] ?? ''
  if (SIGNED.has(section) || SIGNED.has(key)) {
    return refused(
      `\`${key}\` is part of what decides, which a file alone does not change`,
      'put it back and reload; or start the gate again, and let two people sign: seconder policy activate',
    )
  }
  if (section === 'people') {
    return refused(
      '`people` is read at the first start alone',
      'people change by signatures: seconder people',
    )
  }
  return refused(
    `\`${key}\` is read at the start alone`,
    'start the gate again, or put it back and reload; a running gate takes notify, limits and log',
  )
}

/** The path of keys down to what is other; lists count as one thing. */
function firstDifference(before: unknown, after: unknown, path: string): string {
  if (!isMap(before) || !isMap(after)) return path
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[key], after[key])) continue
    return firstDifference(before[key], after[key], `${path}.${key}`)
  }
  return path
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(what: string, help: string): GatewayError {
  return new GatewayError('reload_refused', `${what}; nothing was changed`, help)
}
