// Writes entries to the ledger. A promise from here resolves when the entry is durable; a rejection
// means that nothing may be done or answered on its strength.

import type { Json } from '@seconder/aws/call'
import type { Ledger } from '@seconder/ledger/ledger'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { owedText } from '../lib/owed-id.ts'
import type { OwedEntry } from '../state/owed-store.ts'
import type { Entry } from './entry.ts'

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

/** An entry before it has its place, and with that its time. */
export type Unrecorded = WithoutTime<Entry>

export interface Recorder {
  /** Appends one entry; resolves with its index when it is durable. */
  record(entry: Unrecorded): Promise<number>
  /** Stores a payload beside the log, durable, and returns its SHA-256 (hex). */
  keep(payload: string): Promise<string>
  /**
   * Records an entry, then makes the state follow it by `change`, whose result it returns. Where that fails or a
   * crash comes between, the next start finds the entry: it is not passed over as known before. `change` gets the
   * index of the entry.
   */
  recordThen<T>(entry: Unrecorded, change: (index: number) => Promise<T>): Promise<T>
  /** What the state keeps of an entry with the change that it tells of, until it is recorded. */
  owed(entry: Unrecorded): OwedEntry
  /**
   * Records what the state owes still, in that order; whoever asks while it is being recorded waits for the same. Where it
   * fails or a crash comes between, the state still has it, and it is recorded later. `recordThen` records each, in
   * place of this recorder's own.
   */
  recordOwed(owed: readonly OwedEntry[], recordThen?: Recorder['recordThen']): Promise<void>
  payload(sha256: string): Promise<string>
  /** Hears of each entry once it is durable; returns what ends that. A listener must not throw. */
  onRecorded(listener: (recorded: Recorded) => void): () => void
}

/** Keeps the newest checkpoint that was acknowledged where the next start finds it. */
export interface Remembering {
  readonly acknowledged: (note: string) => void
  /** Keeps nothing newer from now on; returns what ends that. */
  readonly holding: () => () => void
  /** Whether the state owes this entry still. */
  readonly isOwed: (id: string) => Promise<boolean>
  /** An entry that the state owed is in the ledger. */
  readonly settled: (id: string) => Promise<void>
}

/** An entry, by what it is about. */
export interface Recorded {
  readonly type: Entry['type']
  readonly index: number
  readonly session?: string
  readonly request?: string
  readonly effect?: string
  readonly breakGlass?: string
}

/** A recorder whose listeners hear of the entries of all gateways, from whoever follows those. */
export interface HearingRecorder extends Recorder {
  readonly heard: (entry: { readonly index: number; readonly text: string }) => void
}

/** `hearsAll`: listeners are told by `heard` alone, of this gateway's entries too. */
export function createRecorder(
  ledger: Ledger,
  clock: Clock,
  { acknowledged, holding, isOwed, settled }: Remembering,
  hearsAll = false,
): HearingRecorder {
  const encoder = new TextEncoder()
  const listeners = new Set<(recorded: Recorded) => void>()
  const tell = (index: number, entry: Unrecorded) => {
    if (listeners.size === 0) return
    const recorded = recordedOf(index, entry)
    for (const listener of listeners) listener(recorded)
  }
  const record = async (entry: Unrecorded) => {
    const at = new Date(clock.nowMs()).toISOString()
    const { index } = await ledger.append(
      encoder.encode(canonicalJson({ ...entry, at } as unknown as Json)),
    )
    acknowledged(ledger.checkpoint().note)
    if (!hearsAll) tell(index, entry)
    return index
  }
  const recordThen: Recorder['recordThen'] = async (entry, change) => {
    const release = holding()
    let index: number
    try {
      index = await record(entry)
    } catch (cause) {
      release()
      throw cause
    }
    const changed = await change(index)
    release()
    return changed
  }
  const pay = payer({ isOwed, settled })
  return {
    record,
    recordThen,
    owed(entry) {
      return { ...owedText(entry), sinceMs: clock.nowMs() }
    },
    async recordOwed(owed, by = recordThen) {
      for (const one of owed) await pay(one, by)
    },
    heard: ({ index, text }) => tell(index, JSON.parse(text) as Entry),
    onRecorded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    keep(payload) {
      return ledger.putPayload(encoder.encode(payload))
    },
    async payload(sha256) {
      return new TextDecoder().decode(await ledger.readPayload(sha256))
    },
  }
}

/** Records what the state owes, once each, whoever asks for it and however often. */
function payer({
  isOwed,
  settled,
}: Pick<Remembering, 'isOwed' | 'settled'>): (
  owed: OwedEntry,
  recordThen: Recorder['recordThen'],
) => Promise<void> {
  const paying = new Map<string, Promise<void>>()
  /** Recorded, and the state could not be told so: never recorded again. */
  const there = new Set<string>()
  return async ({ id, text }, recordThen) => {
    const underWay = paying.get(id)
    if (underWay !== undefined) return underWay
    const settle = async () => {
      there.add(id)
      await settled(id)
      there.delete(id)
    }
    const unlessPaid = async () => {
      // Whoever asks may have read long ago that it is owed. Nobody else pays it between this line and the next.
      if (await isOwed(id)) await recordThen(JSON.parse(text) as Unrecorded, settle)
    }
    const paid = there.has(id) ? settle() : unlessPaid()
    paying.set(id, paid)
    try {
      await paid
    } finally {
      paying.delete(id)
    }
  }
}

function recordedOf(index: number, entry: Unrecorded): Recorded {
  const { session, request, effect, breakGlass } = entry as Record<string, unknown>
  return {
    type: entry.type,
    index,
    ...(typeof session === 'string' && { session }),
    ...(typeof request === 'string' && { request }),
    ...(typeof effect === 'string' && { effect }),
    ...(typeof breakGlass === 'string' && { breakGlass }),
  }
}
