// The noun of `decide`: policy's answer to one Action, with the policies that made it.

/** One seat count of a requirement: `sre:1`, `any:2`. */
export type SeatCount = string

export type Decision =
  | { readonly answer: 'allow'; readonly policies: readonly string[] }
  | {
      readonly answer: 'review'
      /** Least seat counts that would make it an allow, e.g. `['sre:1']`. */
      readonly requirement: readonly SeatCount[]
      readonly policies: readonly string[]
      readonly reason: string
    }
  | {
      readonly answer: 'deny'
      /** Stable code: `denied_by_policy`, `policy_error`, `invalid_request`, ... */
      readonly code: string
      readonly policies: readonly string[]
      readonly reason: string
    }

/** What decide needs to know besides the Action. Facts only; nothing defaulted. */
export interface DecideContext {
  readonly agent: string
  readonly operator: string
  readonly role: string
  readonly isolation: 'host' | 'user' | 'sandbox' | 'none'
  readonly breakGlass: boolean
  /** The operator's signed words for what the agent is to do; absent where there are none. No policy reads them. */
  readonly task?: string
  /** Who sent that task: never reviewers of it. Absent where nobody is named. */
  readonly instigators?: readonly string[]
}
