// The noun of `execute`: what happened, as far as the upstream's own answer tells.

export type Outcome =
  | {
      readonly result: 'succeeded'
      readonly status: number
      readonly upstreamRequestId: string | null
    }
  | {
      readonly result: 'partial'
      readonly status: number
      readonly detail: string
      /** Members that did not take effect, as the answer names them or by their place; never a value. */
      readonly failed: readonly string[]
      readonly failedCount: number
      readonly upstreamRequestId: string | null
    }
  | {
      readonly result: 'accepted'
      readonly status: number
      readonly upstreamRequestId: string | null
    }
  | {
      readonly result: 'failed'
      readonly status: number
      readonly errorCode: string
      readonly upstreamRequestId: string | null
    }
  /** The second outcome of what was accepted: how it ended, as far as AWS tells those who ask later. */
  | {
      readonly result: 'confirmed'
      readonly confirmed: Confirmed
      /** A state of AWS, or a plain sentence. */
      readonly detail: string
    }
  /** Forwarded, and then silence: it may or may not have happened. */
  | { readonly result: 'unknown'; readonly detail: string }
  /** Its intent is recorded and it was never begun: what had to come first did not. */
  | { readonly result: 'withheld'; readonly detail: string }

export type Confirmed = 'succeeded' | 'failed' | 'unconfirmed'
