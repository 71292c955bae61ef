// Makes the store of a trail out of groups: each is read as an event of its own, by the code that reads events
// of trails, and counts as often as it came.

import { CallBook } from '../store/call-book.ts'
import { EVERY_OPERATION, Gatherer } from '../store/gatherer.ts'
import { likesOf } from '../store/likes.ts'
import { AGENT, CALL, FLAGS, type RawCall, ROW_WORDS, TIME, WHO } from '../store/row.ts'
import type { TrailStore } from '../store/trail-store.ts'
import { RawEvent } from '../trail/raw-event.ts'
import { type Group, readGroups } from './group-file.ts'

/** Groups of one result. */
export const GROUPS_MAX = 20_000_000

export async function storeOfGroups(path: string): Promise<TrailStore> {
  const rows: Uint32Array[] = []
  const counts: number[] = []
  const texts = { whos: [] as string[], agents: [] as string[] }
  const book = new CallBook()
  const raw: RawCall[] = []
  const gatherer = new Gatherer(
    (chunk) => {
      rows.push(chunk.rows.subarray(0, chunk.count * ROW_WORDS))
      raw.push(...chunk.calls)
      texts.whos.push(...chunk.whos)
      texts.agents.push(...chunk.agents)
    },
    [EVERY_OPERATION],
  )
  const event = new RawEvent()
  for (const group of readGroups(path)) {
    if (counts.length >= GROUPS_MAX) throw new RangeError(`more than ${GROUPS_MAX} groups`)
    event.read(Buffer.from(eventText(group)), 0)
    gatherer.take(event)
    counts.push(Number(group.events))
  }
  gatherer.flush()
  await book.readyFor(raw)
  const numbers = raw.map((call) => book.idOf(call))
  const columns = columnsOf(rows, counts, numbers)
  const events = counts.reduce((sum, count) => sum + count, 0)
  const withoutTime = columns.weights.reduce(
    (sum, count, index) => sum + (columns.times[index] === 0 ? count : 0),
    0,
  )
  const calls = book.texts
  return {
    ...texts,
    calls,
    facts: {
      files: 1,
      bytes: 0,
      events,
      unique: events,
      otherRecords: 0,
      leftOut: 0,
      faults: [],
      moreFaults: 0,
      brokenLines: 0,
      sharedCopies: 0,
      withoutTime,
      withoutId: 0,
      widened: columns.calls.reduce(
        (sum, call, index) => sum + (book.isWide(call) ? (columns.weights[index] as number) : 0),
        0,
      ),
    },
    likes: likesOf(calls),
    tags: new Map(),
    slices: [() => columns],
  }
}

function columnsOf(
  chunks: readonly Uint32Array[],
  counts: readonly number[],
  numbers: readonly number[],
) {
  const count = counts.length
  const at = (row: number, word: number): number => {
    const chunk = chunks[Math.floor(row / CHUNK)] as Uint32Array
    return chunk[(row % CHUNK) * ROW_WORDS + word] as number
  }
  const CHUNK = (chunks[0]?.length ?? 0) / ROW_WORDS || 1
  const order = Uint32Array.from({ length: count }, (_, row) => row)
  order.sort((a, b) => at(a, TIME) - at(b, TIME) || a - b)
  const column = (word: number) => Uint32Array.from(order, (row) => at(row, word))
  return {
    count,
    times: column(TIME),
    calls: column(CALL).map((call) => numbers[call] as number),
    whos: column(WHO),
    agents: Uint16Array.from(column(AGENT)),
    flags: Uint8Array.from(column(FLAGS)),
    weights: Float64Array.from(order, (row) => counts[row] as number),
    ids: () => new Uint32Array(count * 4),
  }
}

/** The event that stands for a group: what a trail would say of each of its events. */
function eventText(group: Group): string {
  const identity = {
    type: group.usertype,
    arn: group.userarn,
    userName: group.username,
    accountId: group.useraccount,
    ...(group.invokedby !== '' && { invokedBy: group.invokedby }),
    sessionContext: {
      sessionIssuer: { arn: group.issuerarn, accountId: group.issueraccount },
    },
  }
  // Parameters are JSON as a text already; what is none is kept as a text, and so as not told.
  const parameters = isJson(group.requestparameters)
    ? group.requestparameters
    : JSON.stringify(group.requestparameters)
  const rest = JSON.stringify({
    userIdentity: identity,
    userAgent: group.useragent,
    eventSource: group.eventsource,
    eventName: group.eventname,
    ...(group.eventtype !== '' && { eventType: group.eventtype }),
    awsRegion: group.awsregion,
    ...(group.recipientaccountid !== '' && { recipientAccountId: group.recipientaccountid }),
    ...(group.errorcode !== '' && { errorCode: group.errorcode }),
    eventTime: group.firsttime,
  })
  return `${rest.slice(0, -1)},"requestParameters":${parameters === '""' ? 'null' : parameters}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // the description says then that the parameters are not told
  }
}
