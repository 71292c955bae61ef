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
  /** Forwarded, and then silence: it may or may not have happened. */
  | { readonly result: 'unknown'; readonly detail: string }
