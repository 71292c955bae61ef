// A recorder that counts what goes through it and how long that took to be durable. It changes nothing of it.
import type { Clock } from '../lib/clock.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import type { GateMetrics } from './gate-metrics.ts'

type NewEntry = Parameters<Recorder['record']>[0]

export interface Measuring {
  readonly metrics: GateMetrics
  readonly store: Store
  readonly clock: Clock
  /** Told of each entry of this gateway once it is durable; it must not throw. */
  readonly recorded: (entry: NewEntry) => void
  /** Told of what could not be made durable. */
  readonly failed: (cause: unknown) => void
}

export function measuredRecorder(recorder: Recorder, measuring: Measuring): Recorder {
  const { metrics } = measuring
  /** `work` is told what to call once the entry is durable; what fails after that is no failure of the ledger. */
  const timed = async <T>(entry: NewEntry, work: (durable: () => void) => Promise<T>) => {
    const sinceMs = performance.now()
    let isDurable = false
    const durable = () => {
      isDurable = true
      metrics.appendSeconds.observe((performance.now() - sinceMs) / 1_000)
      counted(entry, measuring)
    }
    try {
      return await work(durable)
    } catch (cause) {
      if (!isDurable) {
        metrics.appendFailures.add()
        measuring.failed(cause)
      }
      throw cause
    }
  }
  const recordThen: Recorder['recordThen'] = (entry, change) =>
    timed(entry, (durable) =>
      recorder.recordThen(entry, (index) => {
        durable()
        return change(index)
      }),
    )
  return {
    record: (entry) =>
      timed(entry, async (durable) => {
        const index = await recorder.record(entry)
        durable()
        return index
      }),
    recordThen,
    owed: (entry) => recorder.owed(entry),
    // Whoever waits for what another records has recorded nothing: only the one that does is counted.
    recordOwed: (owed) => recorder.recordOwed(owed, recordThen),
    keep: (payload) => recorder.keep(payload),
    payload: (sha256) => recorder.payload(sha256),
    onRecorded: (listener) => recorder.onRecorded(listener),
  }
}

function counted(entry: NewEntry, measuring: Measuring): void {
  const { metrics, recorded } = measuring
  metrics.entries.add([entry.type])
  switch (entry.type) {
    case 'outcome':
      metrics.outcomes.add([entry.outcome.result])
      break
    case 'request-opened':
    case 'plan-opened':
      metrics.requests.add()
      break
    case 'request-closed':
      metrics.requestsClosed.add([entry.state])
      break
    case 'request-cancelled':
      metrics.requestsClosed.add(['cancelled'])
      break
    case 'grant-made':
    case 'plan-approved':
      metrics.requestsClosed.add(['approved'])
      break
    case 'break-glass-opened':
      metrics.breakGlasses.add()
      break
    case 'review':
      metrics.reviews.add([entry.verdict])
      void sinceOpened(entry.request, entry.verdict, measuring)
      break
    default:
  }
  recorded(entry)
}

async function sinceOpened(
  request: string,
  verdict: string,
  { metrics, store, clock }: Measuring,
): Promise<void> {
  const nowMs = clock.nowMs()
  // A figure that cannot be had is missing, and holds up nobody.
  const row = await store.request(request).catch(() => undefined)
  if (row) metrics.reviewSeconds.observe(Math.max(0, nowMs - row.openedAtMs) / 1_000, [verdict])
}
