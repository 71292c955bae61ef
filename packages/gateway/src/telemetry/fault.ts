// What may be said of something that was thrown. The gate's own errors speak for themselves, since their words hold
// no secret; of any other only its class, its system code and the places in the code are said, for its message may
// hold whatever somebody sent.
import { LedgerError } from '@seconder/ledger/errors'
import { GatewayError } from '../errors.ts'
import { escapeUntrusted } from '../lib/plain-text.ts'

const WORDS_CHARS_MAX = 500
const FRAMES_MAX = 6
const CAUSES_MAX = 3
const CLASS = /^[A-Z][A-Za-z0-9]{0,59}$/
/** `ECONNREFUSED`, `ERR_SQLITE_ERROR`, and PostgreSQL's `40001`. */
const SYSTEM_CODE = /^(E[A-Z0-9_]{2,40}|[0-9A-Z]{5})$/
/** `at name (file:///.../packages/gateway/src/path/file.ts:12:3)`: the file below the packages, and the line. */
const FRAME = /^ {4}at .*?((?:packages|node_modules|node:)[\w@./:-]{1,120}:\d+):\d+\)?$/

export interface Fault extends Record<string, unknown> {
  readonly kind: string
  readonly code?: string
  readonly message?: string
  readonly help?: string
  readonly at?: readonly string[]
  readonly cause?: Fault
}

export function faultOf(thrown: unknown, depth = 1): Fault {
  if (!(thrown instanceof Error)) return { kind: 'unknown' }
  const cause = thrown.cause
  const below =
    cause !== undefined && depth < CAUSES_MAX ? { cause: faultOf(cause, depth + 1) } : {}
  if (thrown instanceof GatewayError || thrown instanceof LedgerError) {
    const { code, message, help } = thrown
    return { kind: 'own', code, message: shown(message), help: shown(help), ...below }
  }
  const { name } = thrown
  const { code } = thrown as NodeJS.ErrnoException
  return {
    kind: CLASS.test(name) ? name : 'Error',
    ...(typeof code === 'string' && SYSTEM_CODE.test(code) && { code }),
    at: framesOf(thrown),
    ...below,
  }
}

function shown(text: string): string {
  return escapeUntrusted(text, WORDS_CHARS_MAX)
}

/** The stack without its first lines, which are the message. */
function framesOf({ stack = '' }: Error): string[] {
  return stack
    .split('\n')
    .flatMap((line) => FRAME.exec(line)?.[1] ?? [])
    .slice(0, FRAMES_MAX)
}
