// The noun of `identify`: who is asking, as proved by a verified signature under a session's key.

/** How far the agent is from the gate; measured by the gate, never claimed by the client. */
export type Isolation = 'host' | 'user' | 'sandbox' | 'none'

export interface Caller {
  readonly sessionId: string
  /** The agent's name as given when the session was opened, e.g. `kiro-cli`. A label, not a proof. */
  readonly agent: string
  /** The person the agent acts for; proved at session open. */
  readonly operator: string
  /** What the agent was told to do, in the operator's signed words; null where they gave none. */
  readonly task: string | null
  /** Who sent that task, as the operator signed it; they review it as little as the operator does (red team C1). */
  readonly instigators: readonly string[]
  readonly role: { readonly name: string; readonly arn: string }
}
