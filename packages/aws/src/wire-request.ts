// One HTTP request as it came off the wire: nothing decoded, nothing normalised. Everything that
// verifies, signs or describes a request reads this shape and no other.

/** A header as received: its name in the sender's case, its value untrimmed. */
export type WireHeader = readonly [name: string, value: string]

export interface WireRequest {
  readonly method: string
  /** The request target in origin form, exactly as received: path and query, percent-encoding kept. */
  readonly target: string
  readonly headers: readonly WireHeader[]
  /** The body after transfer encoding and before any `aws-chunked` decoding. */
  readonly body: Uint8Array
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
