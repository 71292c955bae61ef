// Binds the ports to node:crypto: SHA-256, Ed25519 verification, and the signer of checkpoints from
// a private KeyObject. The private key stays inside the KeyObject.

import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { LedgerError } from './errors.ts'
import { laneHashing } from './lanes-file.ts'
import { keyIdOf, type NoteSigner, verifierKeyOf } from './note.ts'
import type { Primitives } from './primitives.ts'

// RFC 8410 section 4: an Ed25519 SubjectPublicKeyInfo is this prefix and the 32 bytes of the key.
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export const nodePrimitives: Primitives = {
  sha256(input, output, offset) {
    // Measured on Node 24: a digest as a binary string, written out by bytes, is more than twice
    // as fast as a digest in a new Buffer.
    const digest = hash('sha256', input, 'binary')
    for (let index = 0; index < 32; index++) output[offset + index] = digest.charCodeAt(index)
  },
  binaryText: {
    sha256: (input) => hash('sha256', input, 'binary'),
    of: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
    put(text, into, offset) {
      Buffer.from(into.buffer, into.byteOffset, into.length).write(text, offset, 'latin1')
    },
  },
  /** Made when it is first asked for. */
  get many() {
    return laneHashing()
  },
  verifyEd25519(publicKey, message, signature) {
    const key = Buffer.concat([SPKI_PREFIX, publicKey])
    return verify(null, message, { key, format: 'der', type: 'spki' }, signature)
  },
}

/** The 32 raw bytes of an Ed25519 key. Throws `key_invalid` for another kind of key. */
export function ed25519PublicKey(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new LedgerError('key_invalid', 'the ledger signs with Ed25519 only')
  }
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(SPKI_PREFIX.length))
}

/** The signer `name` with this private key, and the vkey to verify its notes with. */
export function nodeSigner(name: string, key: KeyObject): NoteSigner & { verifierKey: string } {
  const publicKey = ed25519PublicKey(key)
  if (key.type !== 'private')
    throw new LedgerError('key_invalid', 'the signer is not a private key')
  return {
    name,
    keyId: keyIdOf(name, publicKey, nodePrimitives.sha256),
    sign: (message) => sign(null, message, key),
    verifierKey: verifierKeyOf(name, publicKey, nodePrimitives.sha256),
  }
}
