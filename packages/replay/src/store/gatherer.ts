// Turns the events of a trail into rows, in one worker: a call, a caller or a program that was met before
// is known by its bytes, and only what is new is described.

import { randomBytes } from 'node:crypto'
import { agentName } from '../event/agent-name.ts'
import { secondsAt, writeId } from '../event/event-time.ts'
import { type Who, whoOf } from '../event/who.ts'
import type { Field, RawEvent } from '../trail/raw-event.ts'
import { ByteTable } from './byte-table.ts'
import { PassingMembers } from './passing-members.ts'
import {
  AGENT,
  CALL,
  CHUNK_ROWS,
  type Chunk,
  FLAG,
  FLAGS,
  ID,
  LINK,
  type RawCall,
  ROW_WORDS,
  TIME,
  WHO,
} from './row.ts'
import { Texts } from './texts.ts'

/** Distinct texts that one worker keeps apart; a session past it is its principal. */
export const LIMITS = { whos: 100_000, agents: 2_000 }
const TAGS_MAX = 50_000
/** Among the operations that are read whole: all of them. */
export const EVERY_OPERATION = '*'
const LOOKS_MAX = 20_000
/** Operations that look, by their verbs: a guess that is proved afterwards. */
const LOOKS = / (?:Describe|Get|List|Filter|Lookup|Search|Query|Scan|BatchGet|Head)/
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
  readonly #looks = new Map<string, boolean>()
  readonly #whole: ReadonlySet<string>
  #newCalls: RawCall[] = []
  #callCount = 0
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
  #rows: Uint32Array<ArrayBuffer> = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  /** Whether the rows stand where somebody else writes them too. */
  #isShared = false
  /** Rows that are not handed on yet. */
  count = 0

  /** `whole` are operations of which every member says something. */
  constructor(
    onChunk: (chunk: Chunk) => void,
    whole: readonly string[] = [],
    limits: typeof LIMITS = LIMITS,
  ) {
    this.#whole = new Set(whole)
    this.#onChunk = onChunk
    this.#limits = limits
  }

  /** From now on rows are written there, by the scanner too. */
  share(rows: Uint32Array<ArrayBuffer>): void {
    this.#rows = rows
    this.#isShared = true
  }

  /** Whether looks may be known without their passing members. */
  get isSplitting(): boolean {
    return !this.#whole.has(EVERY_OPERATION)
  }

  /** One event of a trail; it is read at once and not kept. */
  readonly take = (event: RawEvent): void => {
    const at = this.count * ROW_WORDS
    const rows = this.#rows
    const { bytes } = event
    rows[at + TIME] = secondsAt(bytes, event.from('eventTime'), event.to('eventTime'))
    writeId(bytes, event.from('eventID'), event.to('eventID'), rows, at + ID)
    const who = this.#who(event)
    rows[at + WHO] = who
    rows[at + CALL] = this.#call(event, this.#whoList[who]?.account ?? '')
    rows[at + AGENT] = this.#agent(event)
    rows[at + FLAGS] = this.#flags(event, this.#whoList[who])
    this.count++
    if (event.has('sharedEventID')) this.#link(event, at)
    // A row and its link are never parted.
    if (this.count >= CHUNK_ROWS - 1) this.flush()
  }

  /** Behind the row of an event that came to more than one account. */
  #link(event: RawEvent, row: number): void {
    const rows = this.#rows
    const at = row + ROW_WORDS
    rows.copyWithin(at, row, at)
    writeId(event.bytes, event.from('sharedEventID'), event.to('sharedEventID'), rows, at + ID)
    const { account } = this.who(rows[row + WHO] as number)
    const isCallers = account !== '' && event.text('recipientAccountId') === account
    rows[at + FLAGS] = LINK.is | (isCallers ? LINK.toCaller : 0)
    if (rows.subarray(at + ID, at + ID + 4).some((word) => word !== 0)) this.count++
  }

  /** Hands on what is gathered; the rows then belong to whoever takes them. */
  flush(): void {
    const [calls, whos, agents] = [this.#newCalls, this.#whos.fresh, this.#agents.fresh]
    if (this.count === 0 && calls.length + whos.length + agents.length === 0) return
    const [count, tags] = [this.count, this.#newTags]
    const rows = this.#isShared ? this.#rows.slice(0, count * ROW_WORDS) : this.#rows
    this.#newCalls = []
    this.#newTags = []
    if (!this.#isShared) this.#rows = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
    this.count = 0
    this.#whos.fresh = []
    this.#agents.fresh = []
    this.#onChunk({ rows, count, calls, whos, agents, tags })
  }

  #flags(event: RawEvent, who: Who | undefined): number {
    let flags = who !== undefined && who.service !== '' ? FLAG.byService : 0
    if (event.has('errorCode')) flags |= this.errorFlags(event)
    // By length alone: `"Data"` or `"Management"`, `false` or `true`.
    if (event.to('eventCategory') - event.from('eventCategory') === 6) flags |= FLAG.data
    else if (event.to('managementEvent') - event.from('managementEvent') === 5) flags |= FLAG.data
    return flags
  }

  errorFlags(event: RawEvent): number {
    const code = event.text('errorCode')
    if (code === '') return 0
    return REFUSED.test(code) ? FLAG.failed | FLAG.refused : FLAG.failed
  }

  #who(event: RawEvent): number {
    const table = this.#whoTable
    table.begin()
    table.add(event.bytes, event.from('userIdentity'), event.to('userIdentity'))
    const known = table.find()
    if (known >= 0) return known
    const id = this.newWho(event)
    table.keep(id)
    return id
  }

  /** The number of a caller whose bytes were not met before. */
  newWho(event: RawEvent): number {
    let who = whoOf(event.raw('userIdentity'))
    let text = JSON.stringify(who)
    if (this.#whos.size >= this.#limits.whos && !this.#whos.has(text)) {
      who = { ...who, session: who.principal, sourceIdentity: '' }
      text = JSON.stringify(who)
    }
    const id = this.#whos.idOf(text)
    this.#whoList[id] = who
    return id
  }

  who(id: number): Who {
    return this.#whoList[id] as Who
  }

  #agent(event: RawEvent): number {
    const table = this.#agentTable
    table.begin()
    table.add(event.bytes, event.from('userAgent'), event.to('userAgent'))
    const known = table.find()
    if (known >= 0) return known
    const id = this.newAgent(event)
    table.keep(id)
    return id
  }

  newAgent(event: RawEvent): number {
    const name = agentName(event.text('userAgent'))
    const isFull = this.#agents.size >= this.#limits.agents && !this.#agents.has(name)
    return this.#agents.idOf(isFull ? 'others' : name)
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
    const isSplit = this.#split(event, isOfCaller ? callerAccount : '')
    const alike = isSplit ? this.#restTable.find() : -1
    if (alike >= 0) return alike
    const id = this.newCall(event, callerAccount, isSplit)
    if (isSplit) this.#restTable.keep(id)
    else table.keep(id)
    return id
  }

  /** The number of a call whose bytes were not met before; `isSplit`: known without its passing members. */
  newCall(event: RawEvent, callerAccount: string, isSplit: boolean): number {
    const parameters = event.raw('requestParameters')
    const eventName = event.text('eventName')
    this.#tag(eventName, parameters)
    const place = [event.from('requestParameters'), event.to('requestParameters')] as const
    if (isSplit) this.#passing.split(event.bytes, ...place)
    this.#newCalls.push([
      event.text('eventSource'),
      eventName,
      event.text('eventType'),
      event.text('awsRegion'),
      event.has('recipientAccountId') ? event.text('recipientAccountId') : callerAccount,
      parameters,
      isSplit ? [...this.#passing.left] : [],
      isSplit ? this.#passing.rest() : '',
    ])
    return this.#callCount++
  }

  /**
   * The key of a look without the members that come anew each time; false where it has none. That they say
   * nothing is taken here and proved where the call is described; where it is not so, the trail is read again.
   */
  #split(event: RawEvent, callerAccount: string): boolean {
    const { bytes } = event
    const [from, to] = [event.from('requestParameters'), event.to('requestParameters')]
    if (!this.isSplitting) return false
    if (!this.#passing.split(bytes, from, to) || !this.isLook(event)) return false
    const table = this.#restTable
    table.begin()
    for (const field of HEAD_FIELDS) table.add(bytes, event.from(field), event.to(field))
    const account = Buffer.from(callerAccount)
    table.add(account, 0, account.length)
    const { staying } = this.#passing
    for (let at = 0; at < staying.length; at += 2) {
      table.add(bytes, staying[at] as number, staying[at + 1] as number)
    }
    return true
  }

  /** Whether it is a look by its name. */
  isLook(event: RawEvent): boolean {
    const name = `${event.text('eventSource')} ${event.text('eventName')}`
    let isLook = this.#looks.get(name)
    if (isLook === undefined) {
      isLook = LOOKS.test(name) && !this.#whole.has(name)
      if (this.#looks.size < LOOKS_MAX) this.#looks.set(name, isLook)
    }
    return isLook
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
