// Makes the ids of sessions, requests and grants. An id recognises a thing and is never a right.

import { randomBytes } from 'node:crypto'

/** Crockford's base 32, lower case: no i, l, o, u. Source: https://www.crockford.com/base32.html */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const RANDOM_BYTES = 16
const DIGITS = 26
const PREFIX = /^[a-z][a-z0-9]{0,15}$/
// 26 digits hold 130 bits, so with 128 of them the first digit is below 8.
const ID = /^([a-z][a-z0-9]{0,15})-[0-7][0-9a-hjkmnp-tv-z]{25}$/

/**
 * `prefix`, a hyphen and 128 random bits as 26 digits: `req-3v9ktq1x0m4c7zhd2r8b5n6wpy`.
 *
 * TypeError where the prefix is not 1-16 lower-case letters and digits beginning with a letter.
 */
export function randomId(prefix: string): string {
  if (!PREFIX.test(prefix)) throw new TypeError('an id prefix is 1-16 of a-z and 0-9')
  let rest = BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`)
  let digits = ''
  for (let count = 0; count < DIGITS; count += 1) {
    digits = ALPHABET.charAt(Number(rest & 31n)) + digits
    rest >>= 5n
  }
  return `${prefix}-${digits}`
}

/** True for the exact form of randomId, of this prefix where one is given. */
export function isId(text: string, prefix?: string): boolean {
  const match = ID.exec(text)
  return match !== null && (prefix === undefined || match[1] === prefix)
}
