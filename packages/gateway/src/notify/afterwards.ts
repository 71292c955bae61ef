// What is told beside requests that wait: an operator who goes ahead alone, on every channel, until two others have
// looked; and an approval that was taken back before it was used. Each thing is said once, over restarts too.
import type { Clock } from '../lib/clock.ts'
import type { BreakGlassRow } from '../state/break-glass-store.ts'
import type { RequestRow, Store } from '../state/store.ts'
import { type Concern, type Notice, type NoticeKind, noticedRequest, shown } from './notice.ts'
import type { Going, Outbox } from './outbox.ts'

/** Older things were said, or nobody is helped by hearing of them now; an open after-review is said once a day. */
const DAY_MS = 86_400_000
/** Newest break-glasses that are looked at. */
const LOOKED_AT_MAX = 100

export interface AfterwardsParts {
  readonly store: Store
  readonly clock: Clock
  readonly outbox: Outbox
  readonly channels: readonly string[]
  /** Those of one person, or of whoever stands in for them. */
  readonly channelsOf: (person: string) => Promise<readonly string[]>
  readonly concernOf: (request: RequestRow) => Promise<Concern>
  readonly going: (
    channel: string,
    notice: Omit<Notice, 'at' | 'gate'>,
    follows: string | null,
  ) => readonly Going[]
}

/** Says what is new of each break-glass and of each suspended session. */
export async function tellAfterwards(parts: AfterwardsParts): Promise<void> {
  await tellGlasses(parts)
  await tellSuspended(parts)
}

/** The operator is told, or everybody where no channel is theirs: somebody has the keys who should not. */
async function tellSuspended(parts: AfterwardsParts): Promise<void> {
  const { store, clock, outbox, going } = parts
  const suspended = await store.suspendedSessions(LOOKED_AT_MAX, clock.nowMs())
  for (const { id, operator, suspendedAtMs } of suspended) {
    const what = `suspended ${suspendedAtMs}`
    if (outbox.wasSaid(id, what)) continue
    const own = await parts.channelsOf(operator)
    const of = { session: id, operator: shown(operator), team: null, requests: [] }
    const all = (own.length > 0 ? own : parts.channels).flatMap((channel) =>
      going(channel, { kind: 'session.suspended', ...of }, null),
    )
    outbox.say(all, id, what, clock.nowMs())
  }
}

async function tellGlasses(parts: AfterwardsParts): Promise<void> {
  const { store, clock, outbox, channels, going } = parts
  for (const row of await store.breakGlasses({ limit: LOOKED_AT_MAX })) {
    const nowMs = clock.nowMs()
    for (const { kind, what } of newsOf(row, nowMs)) {
      if (outbox.wasSaid(row.id, what)) continue
      const notice = noticeOf(kind, row)
      const told = outbox.toldOf(row.id)
      const all = channels.flatMap((channel) => {
        // A pager closes what the first message opened.
        const first = told.find((one) => one.channel === channel)?.delivery ?? null
        return going(channel, notice, kind === 'break-glass.closed' ? first : null)
      })
      outbox.say(all, row.id, what, nowMs)
    }
  }
}

function newsOf(row: BreakGlassRow, nowMs: number): { kind: NoticeKind; what: string }[] {
  const { openedAtMs, untilMs, used, effectsMax, closedAtMs } = row
  if (closedAtMs !== null) {
    return nowMs - closedAtMs < DAY_MS ? [{ kind: 'break-glass.closed', what: 'closed' }] : []
  }
  const day = Math.floor((nowMs - openedAtMs) / DAY_MS)
  const isOver = untilMs <= nowMs || used >= effectsMax
  return [
    ...(day === 0 ? [{ kind: 'break-glass.opened', what: 'opened' } as const] : []),
    ...(day === 0 && used > 0 ? [{ kind: 'break-glass.used', what: `used ${used}` } as const] : []),
    ...(isOver ? [{ kind: 'break-glass.due', what: `due ${day}` } as const] : []),
  ]
}

function noticeOf(kind: NoticeKind, row: BreakGlassRow): Omit<Notice, 'at' | 'gate'> {
  const { id, effects, used, effectsMax, untilMs } = row
  const until = new Date(untilMs).toISOString()
  const breakGlass = { id, effects: effects.map(shown), used, effectsMax, until }
  const of = { session: row.sessionId, operator: shown(row.operator), team: null, requests: [] }
  return { kind, ...of, breakGlass }
}

/** Voids the message that told of an approval, where that was revoked before it was used. */
export async function tellRevoked(
  { store, clock, outbox, going, concernOf }: AfterwardsParts,
  row: RequestRow,
): Promise<void> {
  const told = outbox.toldOf(row.id)
  if (row.state !== 'approved' || told.length === 0 || outbox.wasSaid(row.id, 'revoked')) return
  const grant = await store.grantForRequest(row.id)
  if (grant?.state !== 'revoked') return
  const by = grant.endedBy === null ? null : shown(grant.endedBy)
  const requests = [{ ...noticedRequest(row, await concernOf(row)), by }]
  const of = { session: row.sessionId, operator: shown(row.operator), team: null, requests }
  const all = told.flatMap(({ channel, delivery }) =>
    going(channel, { kind: 'request.revoked', ...of }, delivery),
  )
  outbox.say(all, row.id, 'revoked', clock.nowMs())
}
