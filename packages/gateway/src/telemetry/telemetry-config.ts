// The part of seconder.yaml about what operators see of a running gate: metrics and log.
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { type Address, LISTEN, loopback } from '../listen-address.ts'
import type { LogConfig, Sink } from './log.ts'

/** Ids of requests and names of operations go over it, so never in the clear over a network. */
function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username } = new URL(url)
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  return username === '' && (protocol === 'https:' || isHere)
}

const PATH = z.string().min(1).max(4_096)

export const TELEMETRY_SECTIONS = {
  /** Absent: no listener; people who signed in read /api/metrics all the same. */
  metrics: z.strictObject({ listen: LISTEN, tokenFile: PATH.optional() }).optional(),
  /** Absent: nothing is traced. */
  traces: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/ })
        .max(2_048)
        .refine((url) => isPrivate(url), {
          message: 'write https://..., or http:// to a collector on this host',
        }),
      /** Share of the calls that are traced. */
      ratio: z.number().min(0).max(1).default(1),
    })
    .optional(),
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
  readonly traces?: { readonly endpoint: string; readonly ratio: number; readonly everyMs?: number }
  /** Absent = LOG_DEFAULT. `sink` takes the lines instead of standard error. */
  readonly log?: LogConfig & { readonly sink?: Sink }
}

interface Raw {
  readonly traces?: TelemetryConfig['traces'] | undefined
  readonly log: LogConfig
  readonly metrics?:
    | { readonly listen: string; readonly tokenFile?: string | undefined }
    | undefined
}

/** As the gate uses it: paths are absolute. Errors: `invalid_config` where it is not of this host alone. */
export function telemetryConfig(
  { metrics, log, traces }: Raw,
  statePath: string,
  under: (name: string) => string,
): TelemetryConfig {
  const always = { log, ...(traces && { traces }) }
  if (!metrics) return always
  const { listen, tokenFile } = metrics
  const beside = join(dirname(statePath), 'metrics.token')
  const file = tokenFile === undefined ? beside : under(tokenFile)
  return { ...always, metrics: { listen: loopback(listen), tokenFile: file } }
}
