// The NextPageToken: where the next page starts, bound to the question, the caller and the state of
// the store by a MAC, so that two pages are always pages of one answer.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { CostApiError } from './errors.ts'

export interface PageBinding {
  /** Who asks and what, without the token. */
  readonly question: string
  /** What the answer is computed from: revision of the store, adjustments. */
  readonly state: string
}

const VERSION = 'p1'

function macOf(key: Uint8Array, ...parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
}

/** A token for the page that starts at `offset`. */
export function pageToken(key: Uint8Array, binding: PageBinding, offset: number): string {
  const question = macOf(key, VERSION, 'question', binding.question)
  const body = `${VERSION}.${offset}.${question}`
  return `${body}.${macOf(key, body, binding.state)}`
}

/**
 * The offset a token names. Errors: RequestChangedException where the question is another than the
 * one the token was made for; InvalidNextTokenException where it is no token of ours, or the costs
 * have changed since, so that the next page would be of another answer.
 */
export function pageOffset(key: Uint8Array, binding: PageBinding, token: string): number {
  const match = /^(p1)\.([0-9]{1,9})\.([\w-]{43})\.([\w-]{43})$/.exec(token)
  const [, version = '', offset = '', question = '', mac = ''] = match ?? []
  if (match === null) throw new CostApiError('InvalidNextTokenException', 'invalid next page token')
  if (!isSame(question, macOf(key, VERSION, 'question', binding.question))) {
    throw new CostApiError(
      'RequestChangedException',
      'the next page token belongs to a request with other parameters',
    )
  }
  if (!isSame(mac, macOf(key, `${version}.${offset}.${question}`, binding.state))) {
    throw new CostApiError(
      'InvalidNextTokenException',
      'the costs have changed since the first page: ask again without the token',
    )
  }
  return Number(offset)
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
