// The noun that a policy is asked about: who, does what, on what, with what around it. Facts that are
// not known are said to be so; nothing here stands for a guess.

/** Values of one context key; null = the key is certainly not in the request. */
export type ContextValue = readonly string[] | null

export interface RequestContext {
  /** Keys in lower case, as IAM compares them without regard to case. */
  readonly keys: ReadonlyMap<string, ContextValue>
  /** What a key is that `keys` does not have. */
  readonly others: 'absent' | 'unknown'
}

/**
 * Who asks.
 * `user`, `role` (a role without a session, as an audit asks), `session` (of a role), `federated-user`,
 * `root`, `service`, `anonymous`.
 */
export interface Principal {
  readonly kind:
    | 'user'
    | 'role'
    | 'session'
    | 'federated-user'
    | 'root'
    | 'service'
    | 'web-identity'
    | 'anonymous'
  /** ARN of the user or the role, name of the service or provider, or empty. */
  readonly arn: string
  /** ARN of the session, where there is one: `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`. */
  readonly sessionArn?: string
  /** Twelve digits; empty for a service, a provider or nobody. */
  readonly account: string
  /** A role under `/aws-service-role/`: no SCP or RCP holds for it. */
  readonly serviceLinked?: boolean
}

export interface IamRequest {
  readonly principal: Principal
  /** `dynamodb:DeleteTable`, compared without regard to case. */
  readonly action: string
  /** An ARN, `*` for an action without resource, or a pattern where `resourceIsPattern`. */
  readonly resource: string
  /** The resource is not fully known: its `*` and `?` may stand for anything. */
  readonly resourceIsPattern?: boolean
  /** Account that owns the resource; null = not known. */
  readonly resourceAccount: string | null
  readonly context: RequestContext
}
