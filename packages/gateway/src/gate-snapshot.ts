// Looks at the parts of a running gate, and makes the Snapshot that operators see of it.
import type { Ledger } from '@seconder/ledger/ledger'
import { PEOPLE_LIMITS } from './api/people-server.ts'
import type { SharedGate } from './cluster/shared-gate.ts'
import type { ActiveEpoch } from './epoch/active.ts'
import { COPIES_MAX } from './execute/copies.ts'
import type { UpstreamAccess } from './execute/credentials.ts'
import { UPSTREAM_WAITING_MAX } from './execute/exchange.ts'
import type { Gate } from './gate.ts'
import type { Load } from './listeners.ts'
import type { NotifyStanding } from './notify/notifier.ts'
import { WAITING_MAX } from './notify/outbox.ts'
import { DOOR_LIMITS } from './receive/listener.ts'
import { SPOOL_FILES_MAX, type Spool } from './receive/spool.ts'
import { HELD_CALLS_MAX } from './review/waiters.ts'
import type { Queue, Snapshot } from './telemetry/snapshot.ts'
import { SPANS_MAX } from './telemetry/trace-exporter.ts'

export interface Parts {
  readonly gate: Gate
  readonly ledger: Ledger
  readonly shared: SharedGate | null
  readonly spool: Spool
  readonly access: Pick<UpstreamAccess, 'waiting'>
  readonly epoch: () => ActiveEpoch
  readonly refusing: () => string | null
  readonly notify: () => NotifyStanding | null
  readonly load: () => Promise<Load>
}

/** Returns what makes a Snapshot each time it is called. */
export function snapshots(parts: Parts): () => Promise<Snapshot> {
  const { gate, ledger, shared } = parts
  let seen = { size: -1, atMs: 0 }
  return async () => {
    const nowMs = gate.clock.nowMs()
    const { size } = ledger.checkpoint()
    if (size !== seen.size) seen = { size, atMs: nowMs }
    const notify = parts.notify()
    const epoch = parts.epoch()
    const [figures, readiness, load] = await Promise.all([
      gate.store.figures(nowMs).catch(() => null), // said as `seconder_state_up 0`
      gate.readiness.now(),
      parts.load(),
    ])
    return {
      nowMs,
      figures,
      ready: readiness.checks,
      notify,
      ledger: { size, checkpointAtMs: seen.atMs },
      isPublisher: shared === null || shared.isPublisher,
      epoch: epoch.number,
      observing: gate.observing(),
      isRefusing: parts.refusing() !== null,
      answering: load.answering,
      queues: queuesOf(parts, load, notify),
    }
  }
}

function queuesOf(parts: Parts, load: Load, notify: NotifyStanding | null): Queue[] {
  const { gate, spool } = parts
  const { depth, overflowed } = gate.desk.waiters.held
  const queue = (name: string, inIt: number, limit: number, over: number | null = null): Queue => ({
    name,
    depth: inIt,
    limit,
    overflowed: over,
  })
  const waiting = gate.telemetry.spansWaiting
  const deepest = Math.max(0, ...(notify?.channels ?? []).map(({ waiting }) => waiting))
  return [
    queue('held_calls', depth, HELD_CALLS_MAX, overflowed),
    queue('copies', gate.gateway.copies, COPIES_MAX),
    queue('upstream_calls', parts.access.waiting, UPSTREAM_WAITING_MAX),
    queue('spool_files', spool.held.files, SPOOL_FILES_MAX),
    queue('spool_bytes', spool.held.bytes, spool.limits.totalBytesMax),
    queue('agent_connections', load.agents, DOOR_LIMITS.connectionsMax),
    queue('people_connections', load.people, PEOPLE_LIMITS.connectionsMax),
    ...(waiting === null ? [] : [queue('trace_spans', waiting, SPANS_MAX)]),
    ...(notify ? [queue('notices', deepest, WAITING_MAX)] : []),
  ]
}
