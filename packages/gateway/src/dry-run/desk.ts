// The dry run of the version now on disk, made once for all who are about to sign it, and kept beside the ledger: each
// signature names the one that its signer saw.
import type { Ledger } from '@seconder/ledger/ledger'
import type { EpochContent } from '../epoch/content.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Recorder } from '../record/recorder.ts'
import { DryRun, type DryRunResult, dryRunText } from './dry-run.ts'
import { dryRunOver } from './over-ledger.ts'

/** How far it goes back, how long it may take and how long it is good for, in milliseconds. */
const BACK_MS = 7 * 24 * 60 * 60 * 1_000
const BUDGET_MS = 20_000
const GOOD_FOR_MS = 10 * 60_000
const ENTRIES_MAX = 1_000_000

export interface DryRunOptions {
  readonly ledger: Pick<Ledger, 'size' | 'read' | 'readPayload'>
  readonly recorder: Pick<Recorder, 'keep' | 'payload'>
  readonly clock: Clock
}

export interface KeptDryRun {
  /** Canonical JSON of a DryRunResult, and its SHA-256 (hex), under which it lies beside the ledger. */
  readonly text: string
  readonly digest: string
}

/** What would replace what; both texts are canonical JSON of an EpochContent. */
export interface Versions {
  readonly from: number
  readonly version: string
  readonly text: string
  readonly activeText: string
}

export class DryRunDesk {
  readonly #options: DryRunOptions
  #last: {
    readonly of: string
    readonly untilMs: number
    readonly made: Promise<KeptDryRun>
  } | null = null

  constructor(options: DryRunOptions) {
    this.#options = options
  }

  /** One at a time; whoever asks while it is made, or soon after, gets the same. Errors: PolicyError. */
  of(versions: Versions): Promise<KeptDryRun> {
    const of = `${versions.from} ${versions.version}`
    const nowMs = this.#options.clock.nowMs()
    if (this.#last?.of === of && nowMs < this.#last.untilMs) return this.#last.made
    const before = this.#last?.made ?? Promise.resolve()
    const made = before.then(
      () => this.#make(versions),
      () => this.#make(versions),
    )
    this.#last = { of, untilMs: nowMs + GOOD_FOR_MS, made }
    made.catch(() => {
      if (this.#last?.made === made) this.#last = null
    })
    return made
  }

  /** Errors: `statement_invalid` where no gateway of this ledger made it for that version. */
  async requireOwn(
    digest: string,
    { from, version }: Pick<Versions, 'from' | 'version'>,
  ): Promise<void> {
    const made = await this.#kept(digest)
    if (made?.format === 'seconder-dry-run@v1' && made.from === from && made.version === version)
      return
    throw new GatewayError(
      'statement_invalid',
      'the dry run that it names is none of this version',
      'look again, then sign again: seconder policy dry-run',
    )
  }

  async #kept(digest: string): Promise<DryRunResult | null> {
    try {
      return JSON.parse(await this.#options.recorder.payload(digest)) as DryRunResult
    } catch {
      return null // not there, or something else: then it is none
    }
  }

  async #make({ from, version, text, activeText }: Versions): Promise<KeptDryRun> {
    const { ledger, recorder, clock } = this.#options
    const untilMs = clock.nowMs()
    const [candidate, active] = [text, activeText].map((one) => JSON.parse(one) as EpochContent)
    const sides = {
      from,
      version,
      active: active as EpochContent,
      candidate: candidate as EpochContent,
    }
    const result = await dryRunOver(ledger, await DryRun.of(sides), {
      sinceMs: untilMs - BACK_MS,
      untilMs,
      budgetMs: BUDGET_MS,
      entriesMax: ENTRIES_MAX,
    })
    const made = dryRunText(result)
    await recorder.keep(made.text)
    return made
  }
}
