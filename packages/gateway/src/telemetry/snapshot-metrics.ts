// A Snapshot as metrics, beside those of the process itself. What could not be looked at is absent, never 0.
import { readdirSync } from 'node:fs'
import { Looked, type Reading, type Registry } from './metric.ts'
import type { Snapshot } from './snapshot.ts'

interface Row {
  readonly kind: 'gauge' | 'counter'
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly look: (snapshot: Snapshot) => readonly Reading[]
}

const seconds = (ms: number) => ms / 1_000
const figure =
  (of: (figures: NonNullable<Snapshot['figures']>) => number | null) =>
  ({ figures }: Snapshot): readonly Reading[] => {
    const value = figures === null ? null : of(figures)
    return value === null ? [] : [[value]]
  }

const gauge = (name: string, help: string, look: Row['look'], labels?: readonly string[]): Row => ({
  kind: 'gauge',
  name,
  help,
  look,
  ...(labels && { labels }),
})

/** Of all gateways that share the state: take the highest over them, never the sum. */
const STATE: readonly Row[] = [
  gauge('seconder_state_up', 'Whether the state database answered.', ({ figures }) => [
    [figures === null ? 0 : 1],
  ]),
  gauge(
    'seconder_requests_open',
    'Review requests that wait for people.',
    figure(({ pendingRequests }) => pendingRequests),
  ),
  gauge(
    'seconder_request_oldest_timestamp_seconds',
    'When the oldest of them was opened.',
    figure(({ oldestPendingAtMs }) => oldestPendingAtMs && seconds(oldestPendingAtMs)),
  ),
  gauge(
    'seconder_grants_ready',
    'Approvals that were not used yet.',
    figure(({ readyGrants }) => readyGrants),
  ),
  gauge(
    'seconder_sessions_open',
    'Sessions of agents, children included.',
    figure(({ openSessions }) => openSessions),
  ),
  gauge(
    'seconder_effects_open',
    'Effects with an intent and no outcome yet.',
    figure(({ openEffects }) => openEffects),
  ),
  gauge(
    'seconder_effects_followed',
    'Effects that AWS accepted and whose end is looked for.',
    figure(({ followedEffects }) => followedEffects),
  ),
  gauge(
    'seconder_break_glasses_open',
    'Break-glasses that still let something pass.',
    figure(({ openBreakGlasses }) => openBreakGlasses),
  ),
  gauge(
    'seconder_after_reviews_open',
    'Break-glasses that others have not looked at afterwards.',
    figure(({ openAfterReviews }) => openAfterReviews),
  ),
]

const GATE: readonly Row[] = [
  gauge(
    'seconder_ready',
    'Each check of /readyz: 1 is ok, 0 failing or unknown.',
    ({ ready }) => Object.entries(ready).map(([check, state]) => [state === 'ok' ? 1 : 0, check]),
    ['check'],
  ),
  gauge('seconder_epoch', 'Number of the policy epoch that is loaded.', ({ epoch }) => [[epoch]]),
  gauge(
    'seconder_observing_end_timestamp_seconds',
    'When an environment that only observes is enforced again; absent where it is (red team H4).',
    ({ observing }) => observing.map(({ name, until }) => [seconds(Date.parse(until)), name]),
    ['environment'],
  ),
  gauge(
    'seconder_refusing',
    'Whether every call is refused because this build may not decide under the epoch.',
    ({ isRefusing }) => [[isRefusing ? 1 : 0]],
  ),
  gauge('seconder_calls_in_flight', 'Calls that are being answered.', ({ answering }) => [
    [answering],
  ]),
  gauge('seconder_ledger_entries', 'Entries under the newest checkpoint.', ({ ledger }) => [
    [ledger.size],
  ]),
  gauge(
    'seconder_ledger_checkpoint_timestamp_seconds',
    'When this gateway last saw a new checkpoint of the ledger.',
    ({ ledger }) => [[seconds(ledger.checkpointAtMs)]],
  ),
  gauge(
    'seconder_ledger_publisher',
    'Whether this gateway makes the files of the ledger: always where it is alone, else by the lease.',
    ({ isPublisher }) => [[isPublisher ? 1 : 0]],
  ),
  gauge(
    'seconder_queue_depth',
    'What waits in each queue, or is remembered.',
    ({ queues }) => queues.map(({ name, depth }) => [depth, name]),
    ['queue'],
  ),
  gauge(
    'seconder_queue_limit',
    'How much each queue takes.',
    ({ queues }) => queues.map(({ name, limit }) => [limit, name]),
    ['queue'],
  ),
  {
    kind: 'counter',
    name: 'seconder_queue_overflows',
    help: 'How often something did not fit into a queue.',
    labels: ['queue'],
    look: ({ queues }) =>
      queues.flatMap(({ name, overflowed }): Reading[] =>
        overflowed === null ? [] : [[overflowed, name]],
      ),
  },
]

type Channel = NonNullable<Snapshot['notify']>['channels'][number]

/** The channels of the configuration, by their names there. */
const channels =
  (of: (channel: Channel) => readonly Reading[]) =>
  ({ notify }: Snapshot) =>
    (notify?.channels ?? []).flatMap((channel) => of(channel))

const NOTIFY: readonly Row[] = [
  gauge(
    'seconder_notify_waiting',
    'Notices that wait for their channel.',
    channels(({ name, waiting }) => [[waiting, name]]),
    ['channel'],
  ),
  gauge(
    'seconder_notify_failing',
    'Whether the last attempt on a channel failed.',
    channels(({ name, failing }) => [[failing === null ? 0 : 1, name]]),
    ['channel'],
  ),
  {
    kind: 'counter',
    name: 'seconder_notify_deliveries',
    help: 'Notices by what became of them. result: delivered, failed_attempt, given_up, dropped.',
    labels: ['channel', 'result'],
    look: channels(({ name, delivered, failedAttempts, givenUp, dropped }) => [
      [delivered, name, 'delivered'],
      [failedAttempts, name, 'failed_attempt'],
      [givenUp, name, 'given_up'],
      [dropped, name, 'dropped'],
    ]),
  },
  gauge('seconder_notify_up', 'Whether notices can be kept and told at all.', ({ notify }) =>
    notify === null ? [] : [[notify.trouble === null ? 1 : 0]],
  ),
]

/** Source of the names: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics */
const PROCESS: readonly Row[] = [
  {
    kind: 'counter',
    name: 'process_cpu_seconds',
    help: 'User and system CPU time of the gate.',
    look: () => {
      const { user, system } = process.cpuUsage()
      return [[(user + system) / 1_000_000]]
    },
  },
  gauge('process_resident_memory_bytes', 'Memory of the gate.', () => [
    [process.memoryUsage.rss()],
  ]),
  gauge('process_start_time_seconds', 'When the gate started.', ({ nowMs }) => [
    [seconds(nowMs) - process.uptime()],
  ]),
  gauge('process_open_fds', 'Files and connections that are open.', openFiles),
]

function openFiles(): readonly Reading[] {
  try {
    return [[readdirSync('/proc/self/fd').length]]
  } catch {
    return [] // a system without it
  }
}

/** `now` is the Snapshot that is shown; null before there is one. */
export function addSnapshotMetrics(registry: Registry, now: () => Snapshot | null): void {
  for (const { kind, look, ...named } of [...STATE, ...GATE, ...NOTIFY, ...PROCESS]) {
    registry.add(
      new Looked(kind, named, () => {
        const snapshot = now()
        return snapshot === null ? [] : look(snapshot)
      }),
    )
  }
}
