// What went wrong in PostgreSQL, as one of three: done again (`again`), not done (`no`), or not known
// (`unknown`), which is never taken for not done. The words hold no value of a row and no password.
// Source: https://www.postgresql.org/docs/18/errcodes-appendix.html
import { GatewayError } from '../errors.ts'

/** Where a statement was when it failed. `changing`: a change sent by itself, which commits by itself. */
export type Moment = 'connecting' | 'reading' | 'working' | 'changing' | 'committing'
export type Verdict = 'again' | 'no' | 'unknown'

/** serialization_failure and deadlock_detected: the server says that it rolled back. */
const SERIALIZATION = new Set(['40001', '40P01'])
/** What asks for other words or rights than it has: waiting does not help. */
const REFUSED = /^(28|3D|42)/
/** Classes whose messages hold nothing that is in a row. */
const WORDED = /^(08|28|3D|42|53|57|58|XX|E[A-Z])/

interface Failed {
  readonly code?: unknown
  readonly message?: unknown
  /** Only what the server answered has one. */
  readonly severity?: unknown
}

export function verdictOf(cause: unknown, moment: Moment): Verdict {
  const { code, severity } = cause as Failed
  const state = typeof code === 'string' ? code : ''
  if (SERIALIZATION.has(state)) return 'again'
  // Our own: a value that cannot be read exactly.
  if (cause instanceof RangeError && moment !== 'changing') return 'no'
  if (moment === 'connecting') return REFUSED.test(state) ? 'no' : 'again'
  // It answered this very statement and goes on, so that was not done; of these it cannot say so itself.
  if (severity === 'ERROR' && !/^(08|57P|40003)/.test(state)) return 'no'
  // No COMMIT was sent: the server rolls back what it hears no end of.
  return moment === 'reading' || moment === 'working' ? 'again' : 'unknown'
}

/** Whether the server was not there, or went away: a pause of its own length. */
export function isAbsent(cause: unknown): boolean {
  return !SERIALIZATION.has(String((cause as Failed).code))
}

export function notDone(cause: unknown, shown: string): GatewayError {
  const said = wordsOf(cause)
  const help = 'nothing was done; look at the database, then try again'
  return failure('state_error', `the state database ${shown} failed: ${said}`, help, said)
}

export function notKnown(cause: unknown, shown: string): GatewayError {
  const said = wordsOf(cause)
  const help = 'the change was made or was not: look how things stand before you do it again'
  const message = `the state database ${shown} was lost while it committed: ${said}`
  return failure('state_unknown', message, help, said)
}

/** The driver's own error is not kept: its details quote rows. */
function failure(
  code: 'state_error' | 'state_unknown',
  message: string,
  help: string,
  said: string,
): GatewayError {
  return new GatewayError(code, message, help, { cause: new Error(said) })
}

function wordsOf(cause: unknown): string {
  const { code, message } = cause as Failed
  const state = typeof code === 'string' ? code : ''
  const isWorded = state === '' || WORDED.test(state)
  const words = isWorded && typeof message === 'string' ? message : ''
  return [words, state].filter((part) => part !== '').join(', ') || 'no reason was given'
}
