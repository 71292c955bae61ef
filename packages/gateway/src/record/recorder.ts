// Writes entries to the ledger. A promise from here resolves when the entry is durable; a rejection
// means that nothing may be done or answered on its strength.

import type { Json } from '@seconder/aws/call'
import type { Ledger } from '@seconder/ledger/ledger'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import type { Entry } from './entry.ts'

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

export interface Recorder {
  /** Appends one entry; resolves with its index when it is durable. */
  record(entry: WithoutTime<Entry>): Promise<number>
  /** Stores a payload beside the log, durable, and returns its SHA-256 (hex). */
  keep(payload: string): Promise<string>
  payload(sha256: string): Promise<string>
  /** Hears of each entry once it is durable; returns what ends that. A listener must not throw. */
  onRecorded(listener: (recorded: Recorded) => void): () => void
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

export function createRecorder(
  ledger: Ledger,
  clock: Clock,
  acknowledged: (note: string) => void,
): Recorder {
  const encoder = new TextEncoder()
  const listeners = new Set<(recorded: Recorded) => void>()
  return {
    onRecorded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async record(entry) {
      const at = new Date(clock.nowMs()).toISOString()
      const { index } = await ledger.append(
        encoder.encode(canonicalJson({ ...entry, at } as unknown as Json)),
      )
      acknowledged(ledger.checkpoint().note)
      if (listeners.size > 0) {
        const recorded = recordedOf(index, entry)
        for (const listener of listeners) listener(recorded)
      }
      return index
    },
    keep(payload) {
      return ledger.putPayload(encoder.encode(payload))
    },
    async payload(sha256) {
      return new TextDecoder().decode(await ledger.readPayload(sha256))
    },
  }
}

function recordedOf(index: number, entry: WithoutTime<Entry>): Recorded {
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
