// Makes a new epoch from signed acts: two people sign the version they want active. Files alone change
// nothing; a new epoch voids every open approval in the same transaction (red team H3).
import { z } from 'zod'
import { DryRunDesk, type DryRunOptions, type KeptDryRun } from '../dry-run/desk.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import {
  type ActVerifier,
  type GivenAct,
  invalidStatement,
  type VerifiedAct,
} from '../lib/signed-act.ts'
import type { SignedAct } from '../record/entry.ts'
import type { Recorder } from '../record/recorder.ts'
import type { EpochRow, Store } from '../state/store.ts'
import type { VersionedContent } from './content.ts'
import type { EpochCandidate } from './difference.ts'

export const EPOCH_NAMESPACE = 'seconder-epoch@v1'

/** People who must sign a new epoch. */
export const EPOCH_SIGNERS = 2

const LIFETIME_MS_MAX = 24 * 60 * 60 * 1000

export const EPOCH_STATEMENT = z.strictObject({
  type: z.literal('seconder-epoch@v1'),
  gate: z.string(),
  /** The epoch it replaces; a statement made for an older one is void. */
  from: z.number().int().positive(),
  version: z.string().regex(/^[0-9a-f]{64}$/),
  signer: z.string(),
  nonce: z.string().min(22).max(64),
  expiresAt: z.iso.datetime(),
  /** SHA-256 (hex) of the dry run that the signer was shown; absent where they were shown none. */
  dryRun: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})

export interface Activation {
  /** True when this act was the last one needed. */
  readonly activated: boolean
  readonly signers: readonly string[]
  readonly missing: number
}

export interface ActivationOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  readonly ledger: DryRunOptions['ledger']
  readonly candidate: () => VersionedContent
  readonly activated: (epoch: EpochRow, voidedRequests: readonly string[]) => Promise<void>
  /** Throws when the candidate cannot be loaded: a broken set is never activated. */
  readonly check: (candidate: VersionedContent) => Promise<void>
}

/** Where the state keeps the signatures of a version that needs more of them. */
const PENDING = 'activation'

interface PendingAct {
  readonly act: SignedAct
  /** Fingerprint of the key that signed. */
  readonly key: string
}

/** Until when the signature counts, by its own words; they were checked when it came. */
function endOf({ statement }: SignedAct): number {
  return Date.parse((JSON.parse(statement) as { readonly expiresAt: string }).expiresAt)
}

export class EpochDesk {
  readonly #options: ActivationOptions
  readonly #dryRuns: DryRunDesk

  constructor(options: ActivationOptions) {
    this.#options = options
    this.#dryRuns = new DryRunDesk(options)
  }

  /** The version on the disk, and that of the epoch in force, which it would replace. */
  async versions(): Promise<Pick<EpochCandidate, 'from' | 'version' | 'active'>> {
    const active = await this.#options.store.activeEpoch()
    const { version } = this.#options.candidate()
    return { from: active?.number ?? 0, version, active: active?.version ?? '' }
  }

  /** The same with all that whoever signs it reads. */
  async offered(): Promise<EpochCandidate> {
    const { store, clock, candidate } = this.#options
    const active = await store.activeEpoch()
    const { version, text } = candidate()
    const from = active?.number ?? 0
    const signed = await this.#signedSoFar(`${from} ${version}`)
    const signers = [...(await this.#counting(signed, clock.nowMs())).keys()]
    const activeText = active?.content ?? ''
    return { from, version, active: active?.version ?? '', text, activeText, signers }
  }

  /**
   * What the files on disk would have answered to last week's calls; null where they are those in force.
   * Errors: PolicyError when they do not load.
   */
  async dryRun(): Promise<KeptDryRun | null> {
    const offered = await this.offered()
    return offered.version === offered.active ? null : this.#dryRuns.of(offered)
  }

  /**
   * Takes one person's signature for the version now on disk.
   * Errors: `statement_invalid`, `signature_invalid`, `epoch_changed`, and PolicyError when the set
   * on disk does not load.
   */
  async sign(given: GivenAct): Promise<Activation> {
    const verified = await this.#options.acts.verify(given, EPOCH_NAMESPACE, EPOCH_STATEMENT)
    return this.#options.store.alone('epoch', () => this.#take(verified))
  }

  async #take(verified: VerifiedAct<z.infer<typeof EPOCH_STATEMENT>>): Promise<Activation> {
    const { store, recorder, clock, gateId, acts: verifier } = this.#options
    const { statement, person, key, act } = verified
    const active = await store.activeEpoch()
    const candidate = this.#options.candidate()
    const nowMs = clock.nowMs()
    const expiresAtMs = Date.parse(statement.expiresAt)
    if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
    if (statement.signer !== person.name)
      throw invalidStatement('the key is not that of the signer named')
    if (expiresAtMs <= nowMs || expiresAtMs > nowMs + LIFETIME_MS_MAX)
      throw invalidStatement('it has expired')
    if (statement.from !== active?.number || statement.version !== candidate.version) {
      throw new GatewayError(
        'epoch_changed',
        'the files or the active epoch changed since this was signed',
        'look again, then sign again',
      )
    }
    if (candidate.version === active.version)
      throw invalidStatement('this version is already active')
    await verifier.requireStrongest(verified)
    await this.#options.check(candidate)
    if (statement.dryRun !== undefined) await this.#dryRuns.requireOwn(statement.dryRun, statement)
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    const signed = `${active.number} ${candidate.version}`
    const before = await this.#signedSoFar(signed)
    const acts = await this.#counting(before.set(person.name, { act, key: key.fingerprint }), nowMs)
    if (acts.size < EPOCH_SIGNERS) {
      await store.setMeta(PENDING, JSON.stringify({ signed, acts: [...acts] }))
      return { activated: false, signers: [...acts.keys()], missing: EPOCH_SIGNERS - acts.size }
    }
    const epoch = {
      number: active.number + 1,
      version: candidate.version,
      content: candidate.text,
      activatedAtMs: nowMs,
    }
    const content = await recorder.keep(candidate.text)
    const entry = {
      type: 'epoch-activated',
      epoch: epoch.number,
      version: epoch.version,
      content,
      acts: [...acts.values()].map((pending) => pending.act),
    } as const
    const { voidedRequests } = await recorder.recordThen(entry, () => store.activateEpoch(epoch))
    await this.#options.activated(epoch, voidedRequests)
    return { activated: true, signers: [...acts.keys()], missing: 0 }
  }

  /** Whoever was removed since, or whose key was, has signed nothing; nor has whose signature has ended. */
  async #counting(
    acts: ReadonlyMap<string, PendingAct>,
    nowMs: number,
  ): Promise<Map<string, PendingAct>> {
    const counting = new Map<string, PendingAct>()
    for (const [name, pending] of acts) {
      const known = await this.#options.store.personByKey(pending.key)
      if (known?.person.name === name && endOf(pending.act) > nowMs) counting.set(name, pending)
    }
    return counting
  }

  /** By whom this version was signed to replace the active epoch, at whichever gateway; of another one, nobody. */
  async #signedSoFar(signed: string): Promise<Map<string, PendingAct>> {
    const text = await this.#options.store.meta(PENDING)
    if (text === undefined) return new Map()
    const kept = JSON.parse(text) as { signed: string; acts: [string, PendingAct][] }
    return new Map(kept.signed === signed ? kept.acts : [])
  }
}
