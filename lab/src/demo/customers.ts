// The customers of Cost Explorer: one question five times a second with the real client. An answer is
// right when every month but the one under repair is what its export and its factor say.
import { setTimeout as pause } from 'node:timers/promises'
import { CostExplorerClient, GetCostAndUsageCommand } from '@aws-sdk/client-cost-explorer'
import { formatDecimal, parseDecimal } from '@seconder/costs/decimal'
import type { Credentials } from '../cloud/principal.ts'

const INTERVAL_MS = 200
/** How long a customer waits for an answer. */
const PATIENCE_MS = 5_000
/** Questions on their way at once; a slow service is asked less, which is not a failure. */
const IN_FLIGHT_MAX = 4
/** An hour of probes. */
const PROBES_MAX = 18_000

export interface Probe {
  readonly sentAtMs: number
  readonly answeredAtMs: number
  readonly isRight: boolean
  /** What the customer saw instead of a right answer. */
  readonly saw: string | null
}

export interface CustomersOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  /** Exact total of each month, oldest first. */
  readonly rightTotals: ReadonlyMap<string, string>
  /** The month under repair: probes pass over it. */
  readonly repairedMonth: string
  readonly onProbe: (probe: Probe) => void
}

export class Customers implements AsyncDisposable {
  readonly #options: CustomersOptions
  readonly #client: CostExplorerClient
  readonly #inFlight = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #probes: Probe[] = []
  #asking: Promise<void> = Promise.resolve()

  constructor(options: CustomersOptions) {
    this.#options = options
    this.#client = new CostExplorerClient({
      endpoint: options.endpoint,
      region: options.region,
      credentials: { ...options.credentials },
      maxAttempts: 1,
      requestHandler: { requestTimeout: PATIENCE_MS, throwOnRequestTimeout: true },
    })
  }

  /** In the order in which they were sent. */
  get probes(): readonly Probe[] {
    return this.#probes.toSorted((a, b) => a.sentAtMs - b.sentAtMs)
  }

  start(): void {
    this.#asking = this.#ask()
  }

  /** Asks no more, and waits for the answers under way. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#asking
    await Promise.all(this.#inFlight)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#client.destroy()
  }

  /** Each month's total as a customer gets it now. Rejects with what the customer gets instead. */
  async report(): Promise<ReadonlyMap<string, string>> {
    const months = [...this.#options.rightTotals.keys()]
    const output = await this.#client.send(
      new GetCostAndUsageCommand({
        TimePeriod: { Start: `${months[0]}-01`, End: dayAfter(months.at(-1) ?? '') },
        Granularity: 'MONTHLY',
        Metrics: ['UnblendedCost'],
      }),
    )
    return new Map(
      (output.ResultsByTime ?? []).map(({ TimePeriod: period, Total: total }) => [
        period?.Start?.slice(0, 7) ?? '',
        formatDecimal(parseDecimal(total?.['UnblendedCost']?.Amount ?? '')),
      ]),
    )
  }

  async #ask(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#probes.length < PROBES_MAX) {
      if (this.#inFlight.size < IN_FLIGHT_MAX) {
        const probe = this.#probe().finally(() => this.#inFlight.delete(probe))
        this.#inFlight.add(probe)
      }
      await pause(INTERVAL_MS)
    }
  }

  async #probe(): Promise<void> {
    const sentAtMs = performance.now()
    const saw = await this.report().then(
      (totals) => this.#mistake(totals),
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    )
    const answeredAtMs = performance.now()
    const probe: Probe = { sentAtMs, answeredAtMs, isRight: saw === null, saw }
    this.#probes.push(probe)
    this.#options.onProbe(probe)
  }

  /** The first month that is wrong, in words; null where none is. */
  #mistake(totals: ReadonlyMap<string, string>): string | null {
    const { rightTotals, repairedMonth } = this.#options
    for (const [month, right] of rightTotals) {
      if (month !== repairedMonth && totals.get(month) !== right) return `wrong costs of ${month}`
    }
    return null
  }
}

/** The first day after a month `YYYY-MM`. */
function dayAfter(month: string): string {
  const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1))
  return next.toISOString().slice(0, 10)
}

/** Of probes in the order they were sent. */
export interface Outage {
  readonly failedProbes: number
  readonly totalProbes: number
  /** From the first failed probe to the first right one after the last failed; 0 without failures,
   * null while it has not ended. */
  readonly seconds: number | null
  readonly firstSaw: string | null
}

export function outageOf(probes: readonly Probe[]): Outage {
  const failed = probes.filter(({ isRight }) => !isRight)
  const counts = { failedProbes: failed.length, totalProbes: probes.length }
  const [first] = failed
  const last = failed.at(-1)
  if (first === undefined || last === undefined) return { ...counts, seconds: 0, firstSaw: null }
  const after = probes.slice(probes.indexOf(last) + 1)[0]
  const seconds = after === undefined ? null : (after.answeredAtMs - first.sentAtMs) / 1_000
  return { ...counts, seconds, firstSaw: first.saw }
}
