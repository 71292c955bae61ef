// Every event that a gate writes to its log: its level and its fields, each of a kind. What is not in here cannot be
// written, and what is not of its kind is written as redacted: no pattern has to know what a secret looks like.
import { isId } from '../lib/ids.ts'
import { RELOADED } from '../lib/reloaded.ts'
import { REDACTED } from '../lib/secret.ts'
import { faultOf } from './fault.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** What a field of each kind takes. */
interface Kinds {
  /** Of `lib/ids.ts`: it recognises a thing and is no right. */
  id: string
  /** Stable code of this build: lower case. */
  code: string
  /** A channel of the configuration in force. */
  name: string
  count: number
  flag: boolean
  /** Sections of seconder.yaml that a running gate takes. */
  keys: readonly string[]
  /** HOST:PORT of this host. */
  address: string
  /** Whatever was thrown: only its code and its own words are taken, and those of the gate's errors alone. */
  fault: unknown
}
export type Kind = keyof Kinds

interface EventRow {
  readonly level: Level
  readonly fields: Readonly<Record<string, Kind>>
}

export const EVENTS = {
  gate_started: {
    level: 'info',
    fields: { epoch: 'count', refusing: 'flag', agents: 'address', people: 'address' },
  },
  gate_stopping: { level: 'info', fields: { answering: 'count' } },
  gate_stopped: { level: 'info', fields: {} },
  session_opened: { level: 'info', fields: { session: 'id' } },
  session_suspended: { level: 'warn', fields: { session: 'id', used: 'id' } },
  session_resumed: { level: 'info', fields: { session: 'id' } },
  session_closed: { level: 'info', fields: { session: 'id' } },
  request_opened: { level: 'info', fields: { request: 'id', session: 'id', epoch: 'count' } },
  request_closed: { level: 'info', fields: { request: 'id', state: 'code' } },
  review_given: { level: 'info', fields: { request: 'id', verdict: 'code' } },
  grant_made: { level: 'info', fields: { request: 'id', grant: 'id' } },
  grant_revoked: { level: 'info', fields: { request: 'id', grant: 'id' } },
  plan_stopped: { level: 'info', fields: { request: 'id', session: 'id' } },
  call_denied: { level: 'info', fields: { session: 'id', code: 'code', epoch: 'count' } },
  call_refused: { level: 'debug', fields: { session: 'id', code: 'code' } },
  call_unverified: { level: 'debug', fields: { code: 'code' } },
  call_failed: { level: 'error', fields: { error: 'fault' } },
  api_failed: { level: 'error', fields: { error: 'fault' } },
  effect_begun: { level: 'info', fields: { effect: 'id', session: 'id', request: 'id' } },
  effect_ended: { level: 'info', fields: { effect: 'id', result: 'code' } },
  effect_unknown: { level: 'warn', fields: { effect: 'id' } },
  break_glass_opened: { level: 'warn', fields: { break_glass: 'id', session: 'id' } },
  break_glass_reviewed: { level: 'info', fields: { break_glass: 'id' } },
  epoch_activated: { level: 'warn', fields: { epoch: 'count' } },
  people_changed: { level: 'warn', fields: {} },
  payload_redacted: { level: 'warn', fields: { session: 'id' } },
  retention_ended: { level: 'info', fields: { payloads: 'count', epoch: 'count' } },
  ledger_failed: { level: 'error', fields: { error: 'fault' } },
  cluster_failing: { level: 'error', fields: { error: 'fault' } },
  config_reloaded: { level: 'info', fields: { changed: 'keys' } },
  config_not_reloaded: { level: 'error', fields: { error: 'fault' } },
  notify_failing: {
    level: 'warn',
    fields: { channel: 'name', code: 'code', attempt: 'count', attempts: 'count' },
  },
  notify_given_up: { level: 'error', fields: { channel: 'name', code: 'code', attempt: 'count' } },
  notify_recovered: { level: 'info', fields: { channel: 'name' } },
  notify_dropped: { level: 'error', fields: { channel: 'name' } },
  notify_down: { level: 'error', fields: { code: 'code' } },
  traces_failing: { level: 'warn', fields: { code: 'code' } },
  traces_recovered: { level: 'info', fields: {} },
  log_lost: { level: 'warn', fields: { lines: 'count' } },
} as const satisfies Readonly<Record<string, EventRow>>

export type EventName = keyof typeof EVENTS

/** Fields of an event; one that has no value is left out. */
export type FieldsOf<Event extends EventName> = {
  readonly [Name in keyof (typeof EVENTS)[Event]['fields']]:
    | ((typeof EVENTS)[Event]['fields'][Name] extends infer Of extends Kind ? Kinds[Of] : never)
    | null
}

export type Written = string | number | boolean | readonly string[] | Record<string, unknown>

/** Words of the field: no run of random letters and digits is one. */
const CODE = /^[a-z]{1,20}\d{0,3}[a-z]?(?:[_-](?:[a-z]{1,20}\d{0,3}[a-z]?|\d{1,3})){0,7}$/
const ADDRESS = /^(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/

/** How a value of each kind is written; what is not of the kind is not written. */
const WRITERS: Readonly<Record<Kind, (value: unknown, names: ReadonlySet<string>) => Written>> = {
  id: (value) => textOf(value, isId),
  code: (value) => textOf(value, (text) => CODE.test(text)),
  name: (value, names) => textOf(value, (text) => names.has(text)),
  address: (value) => textOf(value, (text) => ADDRESS.test(text)),
  count: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : REDACTED),
  flag: (value) => (typeof value === 'boolean' ? value : REDACTED),
  keys: (value) =>
    Array.isArray(value)
      ? value.slice(0, RELOADED.size).map((key) => textOf(key, (text) => RELOADED.has(text)))
      : REDACTED,
  fault: (value) => faultOf(value),
}

function textOf(value: unknown, isOfKind: (text: string) => boolean): string {
  return typeof value === 'string' && isOfKind(value) ? value : REDACTED
}

/**
 * What of `fields` is written for this event, in the order of its row. `names`: those that the configuration in force
 * gives its channels.
 */
export function written(
  event: EventName,
  fields: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): [name: string, value: Written][] {
  return Object.entries<Kind>(EVENTS[event].fields).flatMap(([name, kind]) => {
    const value = fields[name]
    const isThere = value !== undefined && value !== null
    return isThere ? [[name, WRITERS[kind](value, names)] as [string, Written]] : []
  })
}
