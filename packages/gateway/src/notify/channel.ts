// The noun Channel: one place that notices go to, and the one way in which sending there fails. A failure has a
// code and nothing else: no answer, address or secret of the receiver is in it.
import type { Notice } from './notice.ts'
import type { ChannelConfig } from './notify-config.ts'

/** One notice on its way to one channel, as it was first written down. */
export interface Delivery {
  /** Stays the same over all attempts, so that a receiver can tell a repeated one. */
  readonly id: string
  readonly notice: Notice
  /** The delivery that this one voids; null where it opens. */
  readonly follows: string | null
}

export interface Attempt {
  readonly atMs: number
  /** Fires where the gate stops or the time is up. */
  readonly signal: AbortSignal
  /** Makes the address of a page of the console, by its path. */
  readonly link: (path: string) => string
}

export interface Channel {
  readonly kind: ChannelConfig['kind']
  /** Resolves once the receiver took it. Errors: DeliveryFailure. */
  send(delivery: Delivery, attempt: Attempt): Promise<void>
}

export class DeliveryFailure extends Error {
  /** `http_503`, `timeout`, `unreachable`, `tls`, `smtp_550` and the like. */
  readonly code: string
  /** No later attempt can do better. */
  readonly final: boolean
  /** What the receiver asked to wait, in milliseconds. */
  readonly retryAfterMs: number | null

  constructor(code: string, { final = false, retryAfterMs = null as number | null } = {}) {
    super(`not delivered: ${code}`)
    this.name = 'DeliveryFailure'
    this.code = code
    this.final = final
    this.retryAfterMs = retryAfterMs
  }
}

/** Codes of TLS that Node gives by many names. Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS = /CERT|ISSUER|SIGNATURE|CRL|^ERR_(TLS|SSL)|^EPROTO$|^ETLS$/

/** The code of a failed connection, from a closed list. */
export function connectionCode(cause: unknown): string {
  const { name, code } = cause as { name?: unknown; code?: unknown }
  const text = typeof code === 'string' ? code : ''
  if (name === 'AbortError' || name === 'TimeoutError' || text === 'ETIMEDOUT') return 'timeout'
  if (TLS.test(text)) return 'tls'
  if (text === 'ECONNREFUSED') return 'refused'
  if (text === 'ENOTFOUND' || text === 'EAI_AGAIN' || text === 'EDNS') return 'unknown_host'
  if (text === 'ECONNRESET' || text === 'EPIPE' || text === 'ECONNECTION') return 'closed'
  return 'unreachable'
}
