// The one function of node:crypto that the shared code asks for, as a browser has it: the ledger's own
// SHA-256, synchronous.
import { sha256 } from '@seconder/ledger/sha256'

/** SHA-256 of bytes, or of the UTF-8 of a text, in lower-case hex. */
export function hash(algorithm: 'sha256', data: Uint8Array | string, encoding: 'hex'): string {
  if (algorithm !== 'sha256' || encoding !== 'hex') throw new Error('only SHA-256 in hex is here')
  const output = new Uint8Array(32)
  sha256(typeof data === 'string' ? new TextEncoder().encode(data) : data, output, 0)
  return Array.from(output, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
