// The part of seconder.yaml about what operators see of a running gate: metrics and log.
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { type Address, LISTEN, loopback } from '../listen-address.ts'
import type { LogConfig, Sink } from './log.ts'

const PATH = z.string().min(1).max(4_096)

export const TELEMETRY_SECTIONS = {
  /** Absent: no listener; people who signed in read /api/metrics all the same. */
  metrics: z.strictObject({ listen: LISTEN, tokenFile: PATH.optional() }).optional(),
  log: z
    .strictObject({
      format: z.enum(['text', 'json']).default('text'),
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
}

export interface TelemetryConfig {
  readonly metrics?: {
    readonly listen: Address
    /** Absolute path of what a scraper must send; made at the first start where it is not there. */
    readonly tokenFile: string
  }
  /** Absent = LOG_DEFAULT. `sink` takes the lines instead of standard error. */
  readonly log?: LogConfig & { readonly sink?: Sink }
}

interface Raw {
  readonly log: LogConfig
  readonly metrics?:
    | { readonly listen: string; readonly tokenFile?: string | undefined }
    | undefined
}

/** As the gate uses it: paths are absolute. Errors: `invalid_config` where it is not of this host alone. */
export function telemetryConfig(
  { metrics, log }: Raw,
  statePath: string,
  under: (name: string) => string,
): TelemetryConfig {
  if (!metrics) return { log }
  const { listen, tokenFile } = metrics
  const beside = join(dirname(statePath), 'metrics.token')
  const file = tokenFile === undefined ? beside : under(tokenFile)
  return { log, metrics: { listen: loopback(listen), tokenFile: file } }
}
