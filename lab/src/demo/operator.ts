// The people who run Cost Explorer: they notice when customers get errors, look what is left, and put
// the environment back from the offline copy. They know nothing of agents or gates.
import { setTimeout as pause } from 'node:timers/promises'
import { restoreFromOfflineCopy } from '../cloud/environment.ts'
import type { ClientOptions, SdkClients } from '../cloud/sdk-clients.ts'
import type { Customers } from './customers.ts'
import { type Holdings, holdings, stackState } from './holdings.ts'

/** From the first failed question to hands on the keyboard. In December 2025 people took longer. */
export const NOTICE_MS = 5_000
const LOOK_MS = 100
/** A restore that meets the agent's own work is tried again; this often. */
const RESTORES_MAX = 20
const RESTORE_PAUSE_MS = 500

export interface Repair {
  readonly left: Holdings
  readonly restored: Holdings
}

export interface OperatorOptions {
  readonly customers: Customers
  readonly clients: SdkClients
  /** The operator's own keys. */
  readonly access: ClientOptions
  readonly copy: string
  readonly onLooked: (left: Holdings, afterMs: number) => void
  readonly onRestored: (restored: Holdings) => void
  readonly signal: AbortSignal
}

/** Waits for an outage and repairs it once; null where none came before `signal`. */
export async function standBy(options: OperatorOptions): Promise<Repair | null> {
  const { customers, clients, signal, onLooked, onRestored } = options
  for (;;) {
    if (signal.aborted) return null
    const since = failingSince(customers)
    const forMs = since === null ? 0 : performance.now() - since
    if (forMs >= NOTICE_MS) {
      await stackAtRest(clients)
      const left = await holdings(clients)
      onLooked(left, forMs)
      const restored = await restore(options)
      onRestored(restored)
      return { left, restored }
    }
    await pause(LOOK_MS)
  }
}

/** When the questions that fail now began to fail; null while the last one was right. */
function failingSince(customers: Customers): number | null {
  const { probes } = customers
  const lastRight = probes.findLastIndex(({ isRight }) => isRight)
  return probes[lastRight + 1]?.sentAtMs ?? null
}

async function stackAtRest(clients: SdkClients): Promise<void> {
  for (let look = 0; look < RESTORES_MAX; look += 1) {
    const { status } = await stackState(clients)
    if (!status.endsWith('_IN_PROGRESS')) return
    await pause(RESTORE_PAUSE_MS)
  }
}

async function restore({ access, copy }: OperatorOptions): Promise<Holdings> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { objects, settings } = await restoreFromOfflineCopy(access, copy)
      return { objects, settings }
    } catch (error) {
      if (attempt === RESTORES_MAX) throw error
    }
    await pause(RESTORE_PAUSE_MS)
  }
}
