// By what an entry that the ledger is owed is known again once it is there: all of it but its time.
import type { Json } from '@seconder/aws/call'
import { canonicalJson, sha256Hex } from './canonical-json.ts'

/** Types of entries that the state may owe. */
export const OWED_TYPES: ReadonlySet<string> = new Set([
  'grant-expired',
  'grant-revoked',
  'plan-stopped',
  'request-cancelled',
  'request-closed',
  'review',
  'session-closed',
  'session-suspended',
])

export interface OwedText {
  /** SHA-256 (hex) of `text`. */
  readonly id: string
  /** Canonical JSON of the entry without its time. */
  readonly text: string
}

export function owedText(entry: object): OwedText {
  const { at: _, ...rest } = entry as { readonly at?: unknown }
  const text = canonicalJson(rest as Json)
  return { id: sha256Hex(text), text }
}
