// The port through which the gate has its own identity, and the keeping of what a source gives: fresh
// ahead of its end, one load at a time, never used past it.
import type { UpstreamCredentials } from '../../config.ts'
import { GatewayError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'

export interface CredentialSource {
  /** Errors: `credentials_unavailable`, in words without any of the credential. */
  current(): Promise<UpstreamCredentials>
}

/** What one load gives. */
export interface Lent {
  readonly credentials: UpstreamCredentials
  /** Epoch milliseconds; null for keys that do not end. */
  readonly expiresAtMs: number | null
}

/** Loaded anew this long before the end, in milliseconds. */
export const REFRESH_AHEAD_MS = 5 * 60_000
/** Not used in its last seconds: the call has to arrive before the end. In milliseconds. */
export const EXPIRY_MARGIN_MS = 30_000
/** Keys without an end are read again after this long: files are rewritten by other programs. */
export const REREAD_MS = 60_000
/** After a failed refresh, the next try waits this long while the old ones hold. In milliseconds. */
const RETRY_MS = 10_000

export function usable({ expiresAtMs }: Pick<Lent, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs === null || nowMs < expiresAtMs - EXPIRY_MARGIN_MS
}

/** Keeps what `load` gives. Concurrent callers share one load; a failure keeps what still holds. */
export function kept(load: () => Promise<Lent>, clock: Clock): CredentialSource {
  let held: { lent: Lent; refreshAtMs: number } | undefined
  let pending: Promise<UpstreamCredentials> | undefined
  const refresh = async (): Promise<UpstreamCredentials> => {
    try {
      const lent = await load()
      const nowMs = clock.nowMs()
      if (!usable(lent, nowMs)) throw unavailable('what the source gave has ended already')
      const refreshAtMs =
        lent.expiresAtMs === null
          ? nowMs + REREAD_MS
          : Math.max(lent.expiresAtMs - REFRESH_AHEAD_MS, nowMs + RETRY_MS)
      held = { lent, refreshAtMs }
      return lent.credentials
    } catch (cause) {
      const nowMs = clock.nowMs()
      // A key without an end is what the file says, so a file that cannot be read takes it away.
      if (held && held.lent.expiresAtMs !== null && usable(held.lent, nowMs)) {
        held.refreshAtMs = nowMs + RETRY_MS
        return held.lent.credentials
      }
      held = undefined
      throw cause
    } finally {
      pending = undefined
    }
  }
  return {
    async current() {
      const nowMs = clock.nowMs()
      if (held && usable(held.lent, nowMs) && nowMs < held.refreshAtMs) return held.lent.credentials
      pending ??= refresh()
      return pending
    },
  }
}

/** Keys that were given once and do not end. */
export function fixed(credentials: UpstreamCredentials): CredentialSource {
  return { current: () => Promise.resolve(credentials) }
}

export function unavailable(why: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(
    'credentials_unavailable',
    `the gate could not get its own credentials: ${why}; nothing was done`,
    'see `upstream.aws.credentials` in seconder.yaml, and run the call again',
    options,
  )
}
