// The epochs that a ledger names, as far as their content lies beside it: policies, roles and what they reach.

import { loadPolicySet, type PolicySet } from '@seconder/gateway/decide/policy-set'
import type { EpochContent } from '@seconder/gateway/epoch/content'
import type { Payloads } from './asks.ts'
import { epochOf } from './forms.ts'
import type { Evidence } from './incident.ts'
import type { LedgerRecord } from './ledger-record.ts'

export interface Epoch {
  readonly number: number
  /** SHA-256 (hex) of its content. */
  readonly version: string
  readonly signers: number
  /** Null where its content is not beside the ledger, or is not what it should be. */
  readonly content: EpochContent | null
  readonly evidence: Evidence
}

export class Epochs {
  readonly #epochs = new Map<number, Epoch>()
  readonly #sets = new Map<number, Promise<PolicySet | null>>()

  constructor(record: LedgerRecord, payloads: Payloads) {
    for (const [number, { entry, evidence }] of record.epochs) {
      const text = payloads(entry.content)
      const content = text === null ? null : epochOf(text)
      const signers = entry.acts.length
      this.#epochs.set(number, { number, version: entry.version, signers, content, evidence })
    }
  }

  of(number: number): Epoch | null {
    return this.#epochs.get(number) ?? null
  }

  /** Null where its policies cannot be loaded here. */
  policySet(number: number): Promise<PolicySet | null> {
    const known = this.#sets.get(number)
    if (known !== undefined) return known
    const set = loaded(this.of(number)?.content ?? null)
    this.#sets.set(number, set)
    return set
  }
}

async function loaded(content: EpochContent | null): Promise<PolicySet | null> {
  if (content === null) return null
  try {
    return await loadPolicySet({ schema: content.schema, policies: [...content.policies] })
  } catch {
    return null // said in the report: the answers of that epoch cannot be worked out again here
  }
}

/** The environments that an epoch says a role reaches; null where it says nothing, which counts as production. */
export function reachOf(content: EpochContent | null, arn: string): readonly string[] | null {
  return content?.roleReach?.[arn]?.environments ?? null
}

export function roleNameOf(content: EpochContent | null, arn: string): string {
  const row = Object.entries(content?.roles ?? {}).find(([, { arn: known }]) => known === arn)
  return row?.[0] ?? arn.split('/').at(-1) ?? arn
}
