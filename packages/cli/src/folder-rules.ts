// What must hold inside the entries of a ledger's folder, checked as they come, and whether every payload that an
// entry names is beside it, or was dropped by an entry that says so.
import { AfterReviews } from '@seconder/gateway/break-glass/account'
import { verifySsh } from '@seconder/gateway/lib/signed-act'
import { EntryRules } from '@seconder/ledger/entry-rules'
import { payloadPath } from '@seconder/ledger/layout'
import { endWords, PayloadUses, payloadNamedBy, retentionOf } from '@seconder/ledger/payload-uses'
import { PlanOrder } from '@seconder/ledger/plan-order'
import { PROBLEMS_MAX, type Unfinished } from '@seconder/ledger/report'
import { SignedActs, type VerifySsh } from '@seconder/ledger/signed-acts'
import { TILE_WIDTH, tilePath } from '@seconder/ledger/tiles'
import type { VerifyProblem } from '@seconder/ledger/verify'
import type { PayloadsBeside } from './ledger-place.ts'

type Entry = { readonly type: string; readonly at: string } & Record<string, unknown>

export class FolderRules {
  readonly problems: VerifyProblem[] = []
  readonly #beside: PayloadsBeside
  readonly #acts: SignedActs
  readonly #plans = new PlanOrder()
  readonly #rules = new EntryRules()
  readonly #looked: AfterReviews
  readonly #payloads = new PayloadUses()
  /** Payloads that are not there, with the first entry that names each. */
  readonly #missing = new Map<string, number>()

  constructor(beside: PayloadsBeside, gateId: string) {
    this.#beside = beside
    const verify: VerifySsh = (act, namespace) => verifySsh(act, namespace, act.publicKey)
    this.#acts = new SignedActs(gateId, verify)
    this.#looked = new AfterReviews(gateId)
  }

  /** Most entries are signed by nobody: a promise only for those that are. */
  take(index: number, entry: Entry): Promise<void> | undefined {
    this.#note(index, 'rule_broken', this.#rules.take(entry))
    this.#note(index, 'act_invalid', this.#looked.take(entry) ?? this.#plans.take(entry))
    if (entry.type === 'epoch-activated') return this.#takeEpoch(index, entry)
    this.#note(index, 'rule_broken', this.#payloads.take(entry))
    return this.#takeRest(index, entry)
  }

  async #takeEpoch(index: number, entry: Entry): Promise<void> {
    // By the version that was signed, which is the digest of the content.
    const days = retentionOf(await this.#beside.text(String(entry['version'])))
    this.#note(index, 'rule_broken', this.#payloads.take(entry, days))
    await this.#takeRest(index, entry)
  }

  #takeRest(index: number, entry: Entry): Promise<void> | undefined {
    const payload = payloadNamedBy(entry)
    const has = payload === null || this.#missing.has(payload) || this.#beside.has(payload)
    if (has === false && payload !== null) this.#missing.set(payload, index)
    if (!(has instanceof Promise)) return this.#takeActs(index, entry)
    return has.then((isThere) => {
      if (!isThere && payload !== null) this.#missing.set(payload, index)
      return this.#takeActs(index, entry)
    })
  }

  #takeActs(index: number, entry: Entry): Promise<void> | undefined {
    if (!SignedActs.mayHold(entry)) return undefined
    return this.#acts.take(entry).then((message) => this.#note(index, 'act_invalid', message))
  }

  /** Whether an entry taken by now says why each payload is missing that is; what none explains is a problem. */
  explainMissing(): void {
    for (const [payload, index] of this.#missing) {
      this.#missing.delete(payload)
      if (this.#payloads.endOf(payload) !== undefined) continue
      if (this.problems.length >= PROBLEMS_MAX) break
      const message = 'the entry names it, and it is not there; no entry says that it was dropped'
      const file = payloadPath(payload)
      this.problems.push({ file, entry: index, code: 'missing_file', message })
    }
  }

  /** Once all entries were taken; returns what is there although it was dropped, and how many were. */
  async finish(): Promise<{
    readonly unfinished: readonly Unfinished[]
    readonly dropped: number
  }> {
    this.explainMissing()
    const unfinished: Unfinished[] = []
    let dropped = 0
    for (const [payload, end] of this.#payloads.ends()) {
      dropped += 1
      if (!(await this.#beside.has(payload))) continue
      const message = `it is still there, and was ${endWords(end)}`
      unfinished.push({ file: payloadPath(payload), message })
    }
    return { unfinished, dropped }
  }

  #note(index: number, code: VerifyProblem['code'], message: string | null): void {
    if (message === null || this.problems.length >= PROBLEMS_MAX) return
    const bundle = Math.floor(index / TILE_WIDTH)
    const file = tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH })
    this.problems.push({ file, entry: index, code, message })
  }
}
