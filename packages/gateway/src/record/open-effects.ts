// Puts back what a loss of power took from the state, and ends what a crash left open. An effect whose
// outcome never came is `unknown`: only the upstream knows, and a retry is a new call. One without an
// intent never began, and one with an outcome has ended.
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import type { Ledger } from '@seconder/ledger/ledger'
import { parseNote } from '@seconder/ledger/note'
import type { OpenEffect, Store } from '../state/store.ts'
import { caughtUp } from './catching-up.ts'
import { endedByPeople } from './ended-by.ts'
import type { Entry } from './entry.ts'
import type { Recorder } from './recorder.ts'

/** Entries read back at most; an effect open at a crash is among the newest. */
export const ENTRIES_READ_MAX = 100_000

/**
 * Makes the state know every intent, every change of people, every epoch and everything that ended again that is
 * in the ledger after the checkpoint `remembered`: the changes of state that precede an intent are durable at the latest when a newer
 * one is remembered, and those of people follow their entry before one is.
 */
export async function restoreState(
  ledger: Ledger,
  store: Store,
  remembered: string | undefined,
): Promise<void> {
  const first = remembered === undefined ? 0 : parseCheckpoint(parseNote(remembered).text).size
  for (let index = first; index < ledger.size; index++) {
    const entry = JSON.parse(new TextDecoder().decode(await ledger.read(index))) as Entry
    await caughtUp(entry, ledger, store)
    // A change of people counts from its entry on, whatever a crash took from the state right after it.
    if (entry.type === 'people-changed') {
      const atMs = Date.parse(entry.at)
      await store.applyPeopleChange(entry.change, atMs, index, endedByPeople(atMs))
      continue
    }
    // Older builds made the state durable first, and said no signature.
    if (entry.type !== 'intent' || entry.signature === undefined) continue
    const { effect: id, session: sessionId, operation, signature, grant, plan } = entry
    const { breakGlass } = entry
    await store.restoreEffect(
      { id, sessionId, operation },
      { signature, grant, plan, breakGlass, atMs: Date.parse(entry.at) },
    )
  }
  await store.setPeopleFollowedTo(ledger.size)
}

/** Returns words for the operator, one line for each effect whose outcome is unknown. */
export async function closeOpenEffects(
  ledger: Ledger,
  store: Store,
  recorder: Recorder,
): Promise<string[]> {
  const open = new Map((await store.openEffects()).map((effect) => [effect.id, effect]))
  const followed = new Set((await store.followed()).map(({ id }) => id))
  const begun: OpenEffect[] = []
  const unfollowed: OpenEffect[] = []
  const last = Math.max(0, ledger.size - ENTRIES_READ_MAX)
  const undecided = new Set(open.keys())
  for (let index = ledger.size - 1; index >= last && undecided.size > 0; index--) {
    const entry = JSON.parse(new TextDecoder().decode(await ledger.read(index))) as Entry
    if (entry.type !== 'outcome' && entry.type !== 'intent') continue
    const effect = undecided.has(entry.effect) ? open.get(entry.effect) : undefined
    if (!effect) continue
    undecided.delete(effect.id)
    if (entry.type === 'intent') begun.push(effect)
    else if (entry.outcome.result === 'accepted' && !followed.has(effect.id))
      unfollowed.push(effect)
  }
  for (const { id } of begun.reverse()) {
    const detail = 'the gate stopped before the answer came'
    await recorder.record({ type: 'outcome', effect: id, outcome: { result: 'unknown', detail } })
  }
  // The gate stopped after it was accepted and before it was followed.
  for (const { id } of unfollowed.reverse()) {
    const detail = 'the gate stopped before its end was looked for'
    const outcome = { result: 'confirmed', confirmed: 'unconfirmed', detail } as const
    await recorder.record({ type: 'outcome', effect: id, outcome })
  }
  for (const id of open.keys()) await store.endEffect(id)
  await recorder.recordOwed(await store.owed(Number.MAX_SAFE_INTEGER))
  return begun.map(
    ({ id, operation }) =>
      `${operation} was under way when the gate stopped; its outcome is unknown (${id})`,
  )
}
