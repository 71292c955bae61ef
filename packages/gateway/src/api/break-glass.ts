// Break-glass as the API shows it: who went ahead alone, within what, what of it was used, and who has looked.
import { setTimeout as pause } from 'node:timers/promises'
import type { Hono } from 'hono'
import type { GlassAccount } from '../break-glass/account.ts'
import { unknownBreakGlass } from '../break-glass/break-glass-desk.ts'
import type { EpochContent } from '../epoch/content.ts'
import type { Gate, GateFacts } from '../gate.ts'
import type { BreakGlassRow } from '../state/break-glass-store.ts'
import { givenAct } from './given-act.ts'
import { paged } from './paging.ts'
import { shownPayload } from './payloads.ts'
import type { ReadingEnv } from './reading.ts'

/** How often, and how far apart in milliseconds, it is looked whether an account is in the files. */
const PUBLISHED_LOOKS = 50
const PUBLISHED_LOOK_MS = 100

export interface ShownBreakGlass
  extends Omit<BreakGlassRow, 'openedAtMs' | 'untilMs' | 'closedAtMs'> {
  readonly state: 'open' | 'after-review' | 'closed'
  readonly openedAt: string
  readonly until: string
  readonly reviews: readonly { readonly reviewer: string; readonly comment: string }[]
}

/** One, with all that whoever looks at it reads: each part is checked again by their client. */
export interface FullBreakGlass extends ShownBreakGlass {
  /** Canonical text of a GlassAccount. */
  readonly account: string
  readonly checkpoint: GateFacts['checkpoint']
  /** Canonical texts of GlassCalls, by their SHA-256. */
  readonly calls: Readonly<Record<string, string>>
  /** Why one is gone, in words, by its SHA-256: of a closed one alone. */
  readonly gone: Readonly<Record<string, string>>
}

export function addBreakGlass(app: Hono<ReadingEnv>, gate: Gate): void {
  const isEnabled = enabling(gate)
  app.get('/api/break-glass', async (context) => {
    const isUnclosed = context.req.query('state') === 'unclosed'
    const { page, next } = isUnclosed
      ? { page: await gate.store.unclosedBreakGlasses(), next: null }
      : await paged(context, (of) => gate.store.breakGlasses(of))
    const breakGlass = await Promise.all(page.map((row) => shown(gate, row)))
    return context.json({ isEnabled: await isEnabled(), breakGlass, next })
  })
  app.get('/api/break-glass/:id', async (context) => {
    const row = await gate.store.breakGlass(context.req.param('id'))
    if (!row) throw unknownBreakGlass()
    const { checkpoint, text } = await publishedAccount(gate, row.id)
    return context.json({
      ...(await shown(gate, row)),
      account: text,
      checkpoint,
      ...(await callsOf(gate, text)),
    })
  })
  app.post('/api/break-glass', async (context) =>
    context.json(await shown(gate, await gate.breakGlass.open(await givenAct(context.req)))),
  )
  app.post('/api/break-glass/reviews', async (context) =>
    context.json(await shown(gate, await gate.breakGlass.review(await givenAct(context.req)))),
  )
}

/**
 * The account as far as a checkpoint vouches for it. Where the files of the ledger come a moment after its entries,
 * they are waited for, since an account of less than was done is not to be signed.
 */
async function publishedAccount(gate: Gate, id: string) {
  for (let look = 1; ; look++) {
    // Before the account, which is then of at least as many entries; what is newer is left out of it.
    const { checkpoint } = await gate.facts()
    const { text } = await gate.breakGlass.account(id, checkpoint.size)
    const whole = await gate.breakGlass.account(id)
    if (text === whole.text || look === PUBLISHED_LOOKS) return { checkpoint, text }
    await pause(PUBLISHED_LOOK_MS)
  }
}

/** What was kept of each call, by its SHA-256, as text; the ledger's verifier misses what is not there. */
async function callsOf(
  gate: Gate,
  account: string,
): Promise<Pick<FullBreakGlass, 'calls' | 'gone'>> {
  const { entries } = JSON.parse(account) as GlassAccount
  const calls: Record<string, string> = {}
  const gone: Record<string, string> = {}
  for (const { entry } of entries) {
    if (entry.type !== 'intent' || entry.document === undefined) continue
    const shown = await shownPayload(gate, entry.document)
    if (shown.document === null) gone[entry.document] = shown.gone
    else calls[entry.document] = shown.document
  }
  return { calls, gone }
}

/** Whether the epoch in force knows it; a gate that answers refusals only still says so. Each epoch is read once. */
function enabling({ store }: Gate): () => Promise<boolean> {
  let read = { epoch: 0, isEnabled: false }
  return async () => {
    const active = await store.activeEpoch()
    if (active === undefined) return false
    if (read.epoch !== active.number) {
      const { breakGlass } = JSON.parse(active.content) as EpochContent
      read = { epoch: active.number, isEnabled: breakGlass === true }
    }
    return read.isEnabled
  }
}

async function shown(
  gate: Gate,
  { openedAtMs, untilMs, closedAtMs, ...row }: BreakGlassRow,
): Promise<ShownBreakGlass> {
  const reviews = await gate.store.breakGlassReviews(row.id)
  const isLive = untilMs > gate.clock.nowMs() && row.used < row.effectsMax
  return {
    ...row,
    state: closedAtMs !== null ? 'closed' : isLive ? 'open' : 'after-review',
    openedAt: new Date(openedAtMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    reviews: reviews.map(({ reviewer, comment }) => ({ reviewer, comment })),
  }
}
