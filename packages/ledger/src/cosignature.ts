// Cosignatures: what a witness signs of a checkpoint, with the time at which it did, as signature lines of
// the same note. Makes and checks them; the key of a witness is a vkey of type 0x04. Runs in browsers.
// Source: https://c2sp.org/tlog-cosignature, cosignature/v1 with Ed25519 (text at C2SP commit 01194db).

import { concatBytes, fromBase64, fromUtf8, toBase64, toUtf8 } from './bytes.ts'
import { LedgerError, quoted } from './errors.ts'
import { KEY_NAME, keyIdOf, type NoteVerifier, parseNote, vkeyOf } from './note.ts'
import type { Primitives, Sha256 } from './primitives.ts'

export const COSIGNATURE_TYPE = 0x04
const TIME_BYTES = 8
const SIGNATURE_BYTES = 64
const KEY_BYTES = 32

export interface Cosignature {
  readonly name: string
  /** When the witness signed, in whole seconds since the Unix epoch. */
  readonly atSeconds: number
  /** Its line of the note, alone: what else a witness sent along is not worth keeping. */
  readonly line: string
}

/** The bytes that are signed: two lines, then the text of the checkpoint as it is. */
export function cosignedMessage(text: string, atSeconds: number): Uint8Array {
  return toUtf8(`cosignature/v1\ntime ${atSeconds}\n${text}`)
}

/** The time before the signature, and that. Null for bytes of another length, or a time past safe integers. */
export function parseCosignature(
  bytes: Uint8Array,
): { atSeconds: number; signature: Uint8Array } | null {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return null
  const time = new DataView(bytes.buffer, bytes.byteOffset, TIME_BYTES).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null
  return { atSeconds: Number(time), signature: bytes.subarray(TIME_BYTES) }
}

export function encodeCosignature(atSeconds: number, signature: Uint8Array): Uint8Array {
  const time = new Uint8Array(TIME_BYTES)
  new DataView(time.buffer).setBigUint64(0, BigInt(atSeconds))
  return concatBytes([time, signature])
}

/** The vkey of a witness. Throws `key_invalid` for a name that a note cannot hold. */
export function cosignerKeyOf(name: string, publicKey: Uint8Array, sha256: Sha256): string {
  return vkeyOf(name, COSIGNATURE_TYPE, publicKey, sha256)
}

/**
 * The verifier of a witness, by its vkey `name+id+base64(0x04 || key)`. Throws `key_invalid` when it does not
 * parse, is of another algorithm (that of a log, say), or its id is not that of the key.
 */
export function cosignatureVerifier(verifierKey: string, primitives: Primitives): NoteVerifier {
  const [name = '', id = '', ...parts] = verifierKey.split('+')
  const key = fromBase64(parts.join('+'))
  if (!KEY_NAME.test(name) || !/^[0-9a-f]{8}$/.test(id) || key === null) {
    throw new LedgerError('key_invalid', `not a verifier key: ${quoted(verifierKey)}`)
  }
  if (key[0] !== COSIGNATURE_TYPE || key.length !== 1 + KEY_BYTES) {
    throw new LedgerError('key_invalid', `not the key of a witness: ${quoted(verifierKey)}`)
  }
  const publicKey = key.subarray(1)
  const keyId = Number.parseInt(id, 16)
  if (keyIdOf(name, publicKey, primitives.sha256, COSIGNATURE_TYPE) !== keyId) {
    throw new LedgerError('key_invalid', `the id of ${quoted(verifierKey)} is not that of its key`)
  }
  return {
    name,
    keyId,
    verify(message, bytes) {
      const cosignature = parseCosignature(bytes)
      const text = fromUtf8(message)
      if (cosignature === null || text === null) return false
      const signed = cosignedMessage(text, cosignature.atSeconds)
      return primitives.verifyEd25519(publicKey, signed, cosignature.signature)
    },
  }
}

/**
 * Who of these witnesses cosigned the note, each once, in the order of the note. A line of a witness that
 * does not verify is no cosignature and spoils no other: it may be anybody's. Throws `note_malformed`.
 */
export async function cosignaturesOf(
  note: string,
  witnesses: readonly NoteVerifier[],
): Promise<Cosignature[]> {
  const { text, signatures } = parseNote(note)
  const message = toUtf8(text)
  const found: Cosignature[] = []
  for (const { name, keyId, signature } of signatures) {
    const witness = witnesses.find((each) => each.name === name && each.keyId === keyId)
    if (witness === undefined || found.some((each) => each.name === name)) continue
    if (!(await witness.verify(message, signature))) continue
    const atSeconds = parseCosignature(signature)?.atSeconds ?? 0
    found.push({ name, atSeconds, line: signatureLine(name, keyId, signature) })
  }
  return found
}

/** One line of a note, with its newline. */
export function signatureLine(name: string, keyId: number, signature: Uint8Array): string {
  const id = new Uint8Array(4)
  new DataView(id.buffer).setUint32(0, keyId)
  return `— ${name} ${toBase64(concatBytes([id, signature]))}\n`
}
