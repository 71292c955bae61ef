// One HTTP request as it came off the wire: nothing decoded, nothing normalised. Everything that
// verifies, signs or describes a request reads this shape and no other.

/** A header as received: its name in the sender's case, its value untrimmed. */
export type WireHeader = readonly [name: string, value: string]

/** A body that is not in memory but has been read to its end: what is known of its decoded bytes. */
export interface HeldBody {
  /** 64 lower-case hex digits. */
  readonly sha256: string
  readonly byteLength: number
}

export type WireBody = Uint8Array | HeldBody

export interface WireRequest<Body = Uint8Array> {
  readonly method: string
  /** The request target in origin form, exactly as received: path and query, percent-encoding kept. */
  readonly target: string
  readonly headers: readonly WireHeader[]
  /** The body after transfer encoding; before any `aws-chunked` decoding where it is in memory. */
  readonly body: Body
}

/** A request without its body: what can be said before the body has come. */
export type WireHead = Omit<WireRequest, 'body'>

export function isHeld(body: WireBody): body is HeldBody {
  return !(body instanceof Uint8Array)
}

/** All values of one header, in order; the name is compared without case. */
export function headerValues(request: Pick<WireRequest, 'headers'>, name: string): string[] {
  const wanted = name.toLowerCase()
  const values: string[] = []
  for (const [key, value] of request.headers) {
    if (key.toLowerCase() === wanted) values.push(value)
  }
  return values
}
