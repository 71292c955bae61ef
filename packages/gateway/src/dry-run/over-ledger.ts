// A dry run over a ledger that is written meanwhile: newest entries first, so that a limit leaves out the oldest, in
// turns short enough that nobody at the gate waits for it.
import { setImmediate } from 'node:timers/promises'
import type { Ledger } from '@seconder/ledger/ledger'
import type { Entry } from '../record/entry.ts'
import type { AnyDocument } from '../review/plan-document.ts'
import type { DryRun, DryRunResult } from './dry-run.ts'
import { recordedCalls, shownDocument } from './recorded-call.ts'

export interface Bounds {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
  readonly untilMs: number
  /** How long it may take, in milliseconds, and how many entries it may read. */
  readonly budgetMs: number
  readonly entriesMax: number
}

/** How long it works in one turn, in milliseconds. */
const TURN_MS = 4

export async function dryRunOver(
  ledger: Pick<Ledger, 'size' | 'read' | 'readPayload'>,
  run: DryRun,
  { sinceMs, untilMs, budgetMs, entriesMax }: Bounds,
  onProgress: (done: number, of: number) => void = () => undefined,
): Promise<DryRunResult> {
  const begunMs = performance.now()
  const { size } = ledger
  let turnMs = begunMs
  let cutBy: DryRunResult['window']['cutBy'] = null
  let first: number | null = null
  let last: number | null = null
  for (let index = size - 1, read = 0; index >= 0; index--, read++) {
    const nowMs = performance.now()
    if (nowMs - begunMs > budgetMs) cutBy = 'time'
    else if (read >= entriesMax) cutBy = 'entries'
    if (cutBy !== null) break
    if (nowMs - turnMs > TURN_MS) {
      onProgress(read, size)
      await setImmediate()
      turnMs = performance.now()
    }
    const entry = JSON.parse(new TextDecoder().decode(await ledger.read(index))) as Entry
    const atMs = Date.parse(entry.at)
    if (atMs > untilMs) continue
    if (atMs < sinceMs) break
    last ??= index
    first = index
    await take(run, entry, index, ledger)
  }
  const window = { since: isoOf(sinceMs), until: isoOf(untilMs), first, last, cutBy }
  return run.result(window)
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

async function take(
  run: DryRun,
  entry: Entry,
  index: number,
  ledger: Pick<Ledger, 'readPayload'>,
): Promise<void> {
  const isHeld = entry.type === 'request-opened' || entry.type === 'plan-opened'
  const document = isHeld ? await documentOf(entry.document, ledger) : null
  const { calls, passed } = recordedCalls(entry, () => document)
  if (passed !== null) run.pass(passed)
  for (const call of calls) run.take(call, index, entry.at)
}

/** What reviewers were shown; null where it is not there, or is no document: that is counted. */
async function documentOf(
  sha256: string,
  ledger: Pick<Ledger, 'readPayload'>,
): Promise<AnyDocument | null> {
  try {
    return shownDocument(new TextDecoder().decode(await ledger.readPayload(sha256)))
  } catch {
    return null // counted as `document-missing`: the entry tells the rest
  }
}
