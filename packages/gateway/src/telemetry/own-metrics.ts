// What telemetry says of itself and of the configuration: whether a reload was taken, and what of the log was lost.
import type { GateMetrics } from './gate-metrics.ts'
import type { Log } from './log.ts'
import { Looked } from './metric.ts'

export function addOwnMetrics({ registry, configuration }: GateMetrics, log: Log): void {
  const rows = [
    {
      kind: 'gauge',
      name: 'seconder_config_last_reload_successful',
      help: 'Whether the last reload of the configuration was taken; 1 before there is one.',
      look: () => (configuration.isTaken ? 1 : 0),
    },
    {
      kind: 'gauge',
      name: 'seconder_config_last_reload_success_timestamp_seconds',
      help: 'When the configuration in force was read.',
      look: () => configuration.takenAtMs / 1_000,
    },
    {
      kind: 'counter',
      name: 'seconder_log_lines_lost',
      help: 'Lines of the log that nobody took in time.',
      look: () => log.queue.lost,
    },
    {
      kind: 'gauge',
      name: 'seconder_log_waiting_bytes',
      help: 'Bytes of the log that wait to be written; at most 1 MiB.',
      look: () => log.queue.bytes,
    },
  ] as const
  for (const { kind, look, ...named } of rows) {
    registry.add(new Looked(kind, named, () => [[look()]]))
  }
}
