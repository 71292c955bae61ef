// The primitives of a reader bound to what browsers, Deno, Bun and Node have in common: our own
// synchronous SHA-256 and WebCrypto's Ed25519. Holds no key.

import type { Primitives } from './primitives.ts'
import { sha256 } from './sha256.ts'

/** WebCrypto takes views of plain ArrayBuffers only; a copy is never a view of shared memory. */
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

export const webPrimitives: Primitives = {
  sha256,
  async verifyEd25519(publicKey, message, signature) {
    const key = await crypto.subtle.importKey('raw', copied(publicKey), 'Ed25519', false, [
      'verify',
    ])
    return await crypto.subtle.verify('Ed25519', key, copied(signature), copied(message))
  },
}
