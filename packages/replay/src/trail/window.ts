// The events of a trail in a window of time, each whole enough to be told of by itself: for reports on single
// calls, where a scan for tallies keeps too little. Copies are dropped; what was left out is counted.

import { agentName } from '../event/agent-name.ts'
import { type Who, whoOf } from '../event/who.ts'
import { type KnownCall, knownCall } from '../store/known-call.ts'
import { PlainWalker } from './event-walker.ts'
import type { RawEvent } from './raw-event.ts'
import { readTrailFile } from './read-trail-file.ts'
import { trailInput } from './trail-files.ts'

/** Events of one window; a longer one is cut, and said to be. */
export const WINDOW_EVENTS_MAX = 500_000
/** No secret is in what is kept, so any key will do. */
const MASK_KEY = '00'.repeat(32)

export interface TrailEvent {
  readonly id: string
  /** ISO time as the trail has it, to the second; empty where the event has none. */
  readonly at: string
  readonly source: string
  readonly name: string
  readonly region: string
  readonly account: string
  readonly who: Who
  /** The program, as the client names itself: a claim. */
  readonly agent: string
  readonly userAgent: string
  readonly address: string
  /** Empty where AWS did not refuse it. */
  readonly errorCode: string
  readonly requestId: string
  readonly isData: boolean
  readonly known: KnownCall
  /** Of an AssumeRole that AWS let through: the session's ARN, and what a gate tagged it to be for. */
  readonly assumed: { readonly session: string; readonly purpose: string } | null
}

export interface TrailWindow {
  /** In the order of time; those of one second in the order of the files. */
  readonly events: readonly TrailEvent[]
  readonly read: number
  readonly copies: number
  readonly dropped: number
  /** Files that are not whole, with the name of what is wrong. */
  readonly faults: readonly { readonly path: string; readonly fault: string }[]
  /** Times of the first and last event read, in the window or not; empty where none has one. */
  readonly covers: { readonly from: string; readonly to: string }
}

export interface WindowAsked {
  /** ISO times; empty = from the beginning, to the end. */
  readonly since: string
  readonly until: string
}

/** Errors: `trail_unreadable`, `no_trail`. */
export async function trailWindow(
  paths: readonly string[],
  { since, until }: WindowAsked,
): Promise<TrailWindow> {
  const events: TrailEvent[] = []
  const seen = new Set<string>()
  const faults: { path: string; fault: string }[] = []
  let [read, copies, dropped, from, to] = [0, 0, 0, '', '']
  const take = (raw: RawEvent): void => {
    read++
    const at = isoOf(raw.text('eventTime'))
    if (at !== '' && (from === '' || at < from)) from = at
    if (at > to) to = at
    if ((since !== '' && at < toSecond(since)) || (until !== '' && at > until)) return
    const id = raw.text('eventID')
    if (id !== '' && seen.has(id)) {
      copies++
      return
    }
    if (events.length >= WINDOW_EVENTS_MAX) {
      dropped++
      return
    }
    seen.add(id)
    events.push(eventOf(raw, id, at))
  }
  const walker = new PlainWalker(take)
  for (const file of trailInput(paths).files) {
    const { fault } = await readTrailFile(file, walker)
    if (fault !== null) faults.push({ path: file.path, fault })
  }
  const order = events.map((event, index) => ({ event, index }))
  order.sort((a, b) => a.event.at.localeCompare(b.event.at) || a.index - b.index)
  const sorted = order.map(({ event }) => event)
  return { events: sorted, read, copies, dropped, faults, covers: { from, to } }
}

function eventOf(raw: RawEvent, id: string, at: string): TrailEvent {
  const who = whoOf(raw.raw('userIdentity'))
  const account = raw.text('recipientAccountId') || who.account
  const region = raw.text('awsRegion')
  const source = raw.text('eventSource')
  const name = raw.text('eventName')
  const userAgent = raw.text('userAgent')
  const recorded = {
    eventSource: source,
    eventName: name,
    eventType: raw.text('eventType'),
    region,
    account,
    parameters: raw.raw('requestParameters'),
  }
  return {
    id,
    at,
    source,
    name,
    region,
    account,
    who,
    agent: agentName(userAgent),
    userAgent,
    address: raw.text('sourceIPAddress'),
    errorCode: raw.text('errorCode'),
    requestId: raw.text('requestID'),
    isData: raw.text('eventCategory') === 'Data' || raw.raw('managementEvent') === 'false',
    known: knownCall(recorded, MASK_KEY),
    assumed: name === 'AssumeRole' ? assumedBy(recorded.parameters) : null,
  }
}

/** Source: STS API reference, AssumeRole, Tags; the tag is execute/credentials.ts of the gateway. */
function assumedBy(parameters: string): TrailEvent['assumed'] {
  let asked: { roleArn?: unknown; roleSessionName?: unknown; tags?: unknown }
  try {
    asked = JSON.parse(parameters) as typeof asked
  } catch {
    return null // parameters that are cut tell no session
  }
  const { roleArn, roleSessionName, tags } = asked
  const role = /^arn:([^:]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(String(roleArn))
  if (role === null || typeof roleSessionName !== 'string' || !Array.isArray(tags)) return null
  const found = (tags as { key?: unknown; value?: unknown }[]).find(
    (tag) => tag?.key === 'seconder:request',
  )
  if (typeof found?.value !== 'string') return null
  const session = `arn:${role[1]}:sts::${role[2]}:assumed-role/${role[3]}/${roleSessionName}`
  return { session, purpose: found.value }
}

/** `2025-12-14T09:30:00Z` or with a fraction; empty for what is no time. */
function isoOf(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text)) return ''
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString()
}

/** A trail tells no fractions: what was within the second may belong to the window. */
function toSecond(iso: string): string {
  return `${iso.slice(0, 19)}.000Z`
}

/** `cloudformation:DeleteStack`; the trail's own names where no call is known. */
export function operationOf({ known, source, name }: TrailEvent): string {
  return known.is === 'call'
    ? known.meaning.operation
    : `${source.replace(/\.amazonaws\.com(\.cn)?$/, '')}:${name}`
}

/** ARNs and patterns of what it touches; empty where no call is known. */
export function thingsOf({ known }: TrailEvent): readonly string[] {
  return known.is === 'call' ? known.meaning.resources.map(({ arn }) => arn) : []
}

export function effectsOf({ known }: TrailEvent): readonly string[] {
  if (known.is === 'call') return known.meaning.effects
  return known.is === 'unmapped' ? ['unknown'] : []
}
