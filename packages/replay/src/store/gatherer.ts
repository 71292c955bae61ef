// Turns the events of a trail into rows, in one worker: a call, a caller or a program that was met before
// is known by its bytes, and only what is new is described.

import { randomBytes } from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import { agentName } from '../event/agent-name.ts'
import { secondsAt, writeId } from '../event/event-time.ts'
import type { RecordedCall } from '../event/recorded-call.ts'
import { type Who, whoOf } from '../event/who.ts'
import type { Field, RawEvent } from '../trail/raw-event.ts'
import { ByteTable } from './byte-table.ts'
import { isLook, type KnownCall, knownCall, widened } from './known-call.ts'
import { PassingMembers, watched } from './passing-members.ts'
import {
  AGENT,
  CALL,
  CHUNK_ROWS,
  type Chunk,
  FLAG,
  FLAGS,
  ID,
  ROW_WORDS,
  TIME,
  WHO,
} from './row.ts'

/** Distinct texts that one worker keeps apart; a call past it is widened, a session past it is its principal. */
export const LIMITS = { calls: 100_000, whos: 100_000, agents: 2_000 }
const TAGS_MAX = 50_000
/** Keys, names of sessions and times are runs of sixteen letters and more: each has a word that is hashed. */
const WHO_WORDS = 4

/** Codes of a refusal for want of rights. Source: the common errors of each service's API reference. */
const REFUSED = /AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized|Forbidden/

const HEAD_FIELDS: readonly Field[] = [
  'eventSource',
  'eventName',
  'eventType',
  'awsRegion',
  'recipientAccountId',
]
const CALL_FIELDS: readonly Field[] = [...HEAD_FIELDS, 'requestParameters']

export class Gatherer {
  readonly #onChunk: (chunk: Chunk) => void
  readonly #limits: typeof LIMITS
  readonly #maskKey = randomBytes(32).toString('hex')
  readonly #calls = new Texts()
  readonly #whos = new Texts()
  readonly #agents = new Texts()
  readonly #callTable = new ByteTable(randomBytes(4).readInt32LE())
  readonly #restTable = new ByteTable(randomBytes(4).readInt32LE())
  readonly #passing = new PassingMembers()
  readonly #whoTable = new ByteTable(randomBytes(4).readInt32LE(), WHO_WORDS)
  readonly #agentTable = new ByteTable(randomBytes(4).readInt32LE())
  readonly #whoList: Who[] = []
  readonly #tags = new Map<string, string>()
  #newTags: [string, string][] = []
  #rows = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  #count = 0
  #widened = 0

  constructor(onChunk: (chunk: Chunk) => void, limits: typeof LIMITS = LIMITS) {
    this.#onChunk = onChunk
    this.#limits = limits
  }

  /** One event of a trail; it is read at once and not kept. */
  readonly take = (event: RawEvent): void => {
    const at = this.#count * ROW_WORDS
    const rows = this.#rows
    const { bytes } = event
    rows[at + TIME] = secondsAt(bytes, event.from('eventTime'), event.to('eventTime'))
    writeId(bytes, event.from('eventID'), event.to('eventID'), rows, at + ID)
    const who = this.#who(event)
    rows[at + WHO] = who
    rows[at + CALL] = this.#call(event, this.#whoList[who]?.account ?? '')
    rows[at + AGENT] = this.#agent(event)
    rows[at + FLAGS] = this.#flags(event, this.#whoList[who])
    if (++this.#count === CHUNK_ROWS) this.flush()
  }

  /** Hands on what is gathered; the rows then belong to whoever takes them. */
  flush(): void {
    const { fresh: calls } = this.#calls
    const [whos, agents] = [this.#whos.fresh, this.#agents.fresh]
    if (this.#count === 0 && calls.length + whos.length + agents.length === 0) return
    const tags = this.#newTags
    const [rows, count, past] = [this.#rows, this.#count, this.#widened]
    this.#newTags = []
    this.#rows = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
    this.#count = 0
    this.#widened = 0
    this.#calls.fresh = []
    this.#whos.fresh = []
    this.#agents.fresh = []
    this.#onChunk({ rows, count, calls, whos, agents, tags, widened: past })
  }

  #flags(event: RawEvent, who: Who | undefined): number {
    let flags = who !== undefined && who.service !== '' ? FLAG.byService : 0
    if (event.has('errorCode')) {
      const code = event.text('errorCode')
      if (code !== '') flags |= REFUSED.test(code) ? FLAG.failed | FLAG.refused : FLAG.failed
    }
    // By length alone: `"Data"` or `"Management"`, `false` or `true`.
    if (event.to('eventCategory') - event.from('eventCategory') === 6) flags |= FLAG.data
    else if (event.to('managementEvent') - event.from('managementEvent') === 5) flags |= FLAG.data
    return flags
  }

  #who(event: RawEvent): number {
    const table = this.#whoTable
    table.begin()
    table.add(event.bytes, event.from('userIdentity'), event.to('userIdentity'))
    const known = table.find()
    if (known >= 0) return known
    let who = whoOf(event.raw('userIdentity'))
    if (this.#whos.size >= this.#limits.whos)
      who = { ...who, session: who.principal, sourceIdentity: '' }
    const id = this.#whos.idOf(JSON.stringify(who))
    this.#whoList[id] = who
    table.keep(id)
    return id
  }

  #agent(event: RawEvent): number {
    const table = this.#agentTable
    table.begin()
    table.add(event.bytes, event.from('userAgent'), event.to('userAgent'))
    const known = table.find()
    if (known >= 0) return known
    const isFull = this.#agents.size >= this.#limits.agents
    const id = this.#agents.idOf(isFull ? 'others' : agentName(event.text('userAgent')))
    table.keep(id)
    return id
  }

  #call(event: RawEvent, callerAccount: string): number {
    const table = this.#callTable
    table.begin()
    for (const field of CALL_FIELDS) table.add(event.bytes, event.from(field), event.to(field))
    const isOfCaller = !event.has('recipientAccountId')
    if (isOfCaller) {
      const account = Buffer.from(callerAccount)
      table.add(account, 0, account.length)
    }
    const found = table.find()
    if (found >= 0) return found
    const isSplit = this.#split(event, callerAccount)
    const alike = isSplit ? this.#restTable.find() : -1
    if (alike >= 0) return alike
    const parameters = event.raw('requestParameters')
    const recorded = {
      eventSource: event.text('eventSource'),
      eventName: event.text('eventName'),
      eventType: event.text('eventType'),
      region: event.text('awsRegion'),
      account: isOfCaller ? callerAccount : event.text('recipientAccountId'),
      parameters,
    }
    this.#tag(recorded.eventName, parameters)
    const known = knownCall(recorded, this.#maskKey)
    const text = JSON.stringify(known)
    const isPast = this.#calls.size >= this.#limits.calls && !this.#calls.has(text)
    const id = this.#calls.idOf(isPast ? JSON.stringify(widened(known)) : text)
    if (isPast) this.#widened++
    // What is widened is not remembered by its bytes, so that each such event is counted.
    else if (isSplit && this.#saysNothing(recorded, known, text)) this.#restTable.keep(id)
    else table.keep(id)
    return id
  }

  /** The key of the call without the members that come anew each time; false where it has none. */
  #split(event: RawEvent, callerAccount: string): boolean {
    const { bytes } = event
    const [from, to] = [event.from('requestParameters'), event.to('requestParameters')]
    if (!this.#passing.split(bytes, from, to)) return false
    const table = this.#restTable
    table.begin()
    for (const field of HEAD_FIELDS) table.add(bytes, event.from(field), event.to(field))
    const account = Buffer.from(event.has('recipientAccountId') ? '' : callerAccount)
    table.add(account, 0, account.length)
    const { staying } = this.#passing
    for (let at = 0; at < staying.length; at += 2) {
      table.add(bytes, staying[at] as number, staying[at + 1] as number)
    }
    return true
  }

  /**
   * Whether those members say nothing of the call: it is a look, its description is the same without them,
   * and none of them was asked for.
   */
  #saysNothing(recorded: RecordedCall, known: KnownCall, text: string): boolean {
    if (known.is !== 'call' || !isLook(known.meaning.effects)) return false
    const names = new Set(this.#passing.left.map((name) => name.toLowerCase()))
    let isAsked = false
    const watch = (given: JsonObject) =>
      watched(given, (name) => {
        if (names.has(name.toLowerCase())) isAsked = true
      })
    const bare = { ...recorded, parameters: this.#passing.rest() }
    return JSON.stringify(knownCall(bare, this.#maskKey, watch)) === text && !isAsked
  }

  /** The tag `agent` that a session was made with. Source: STS API reference, AssumeRole, Tags. */
  #tag(eventName: string, parameters: string): void {
    if (!eventName.startsWith('AssumeRole') || !parameters.includes('"tags"')) return
    const asked = tagged(parameters)
    if (asked === null || this.#tags.has(asked[0]) || this.#tags.size >= TAGS_MAX) return
    this.#tags.set(...asked)
    this.#newTags.push(asked)
  }
}

function tagged(parameters: string): [string, string] | null {
  let asked: { roleArn?: unknown; roleSessionName?: unknown; tags?: unknown }
  try {
    asked = JSON.parse(parameters) as typeof asked
  } catch {
    return null // parameters that are cut tell no tag
  }
  const { roleArn, roleSessionName, tags } = asked
  const role = /^arn:([^:]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(String(roleArn))
  if (role === null || typeof roleSessionName !== 'string' || !Array.isArray(tags)) return null
  for (const tag of tags as { key?: unknown; value?: unknown }[]) {
    if (!/^(seconder[:/])?agent$/i.test(String(tag?.key)) || typeof tag.value !== 'string') continue
    const session = `arn:${role[1]}:sts::${role[2]}:assumed-role/${role[3]}/${roleSessionName}`
    return [session, tag.value.slice(0, 128)]
  }
  return null
}

/** Texts and their numbers in order of appearance. */
export class Texts {
  readonly #ids = new Map<string, number>()
  /** Those not handed on yet. */
  fresh: string[] = []

  get size(): number {
    return this.#ids.size
  }

  has(text: string): boolean {
    return this.#ids.has(text)
  }

  idOf(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#ids.size
    this.#ids.set(text, id)
    this.fresh.push(text)
    return id
  }

  all(): string[] {
    return [...this.#ids.keys()]
  }
}
