// The noun of `describe`: what is asked, in one canonical form whatever door it came in by.
import type {
  InnerCall as AwsInnerCall,
  Effect,
  JsonObject,
  Recoverable,
  Reveals,
  Statement,
} from '@seconder/aws/call'

export type { Effect, JsonObject, Recoverable, Reveals, Statement }

export type Door = 'aws' | 'mcp' | 'shell' | 'plan'

export interface Resource {
  /** Exact, a pattern, or `*` where nothing is certain. */
  readonly arn: string
  readonly type: string
  readonly account: string
  readonly region: string
  /** From operator configuration alone; what matches no row is `production`. */
  readonly environment: string
  readonly resolved: boolean
  /** Only an inner call touches it: the credentials of this call need not reach it. */
  readonly inner?: true
}

/** A call that this one stores or starts, described as an Action of its own (red team H7). */
export type InnerCall = Omit<AwsInnerCall, 'maskedPointers'>

export interface Action {
  readonly door: Door
  /** `cloudformation:DeleteStack`, `mcp:github/delete_repo`, `shell:terraform destroy`. */
  readonly operation: string
  readonly iamActions: readonly string[]
  /** Those of `iamActions` that the caller needs; absent where there are no inner calls. */
  readonly ownActions?: readonly string[]
  /** Never empty: an action without a resource has the one resource `*`. */
  readonly resources: readonly Resource[]
  /** Never empty, strictest last. */
  readonly effects: readonly Effect[]
  readonly reveals: Reveals
  readonly recoverable: Recoverable
  readonly service: string
  readonly account: string
  readonly region: string
  /** Normalised; secret value positions are `{"masked":"hmac-sha256:...","bytes":N}`, code never is. */
  readonly parameters: JsonObject
  /** SHA-256 (hex) of the decoded payload, HMAC-SHA-256 where it holds a secret; null = not bound. */
  readonly body: string | null
  /** What of the gate itself it touches, or may; absent where nothing (red team M13). */
  readonly ownLimbs?: readonly string[]
  /** Accounts outside of the configuration that it reaches, `everybody` among them; absent where none (M8). */
  readonly outside?: readonly string[]
  /** What it makes others do, now or later, as far as that can be read; their worst is in `effects`. */
  readonly innerCalls?: readonly InnerCall[]
  /** The SQL or PartiQL in it and what that would do; absent where it holds none. */
  readonly statements?: readonly Statement[]
  /** The kind of stored thing whose role would act; `resolve` looks it up. */
  readonly holder?: string
}

/** What an AssumeRole asks for, as far as a child session can be it. */
export interface ChildAsked {
  readonly roleName: string
  readonly roleArn: string
  /** RoleSessionName as sent: a label of the client's own, in no digest, for clients make it anew each time. */
  readonly label: string
  readonly seconds: number
}
