// C2SP signed notes: a text, a blank line, and signature lines. Makes and opens them; the list of
// signatures is open (witnesses, other algorithms), and unknown keys are ignored. Runs in browsers.
// Source: https://c2sp.org/signed-note (text at C2SP commit 0552876).

import { concatBytes, fromBase64, toBase64, toUtf8 } from './bytes.ts'
import { LedgerError, quoted } from './errors.ts'
import type { Primitives, Sha256 } from './primitives.ts'

export const NOTE_CHARACTERS_MAX = 100_000
/** The same bound as golang.org/x/mod/sumdb/note; the spec asks for 16 at least. */
export const NOTE_SIGNATURES_MAX = 100
const KEY_ID_BYTES = 4
const ED25519_TYPE = 0x01
const ED25519_KEY_BYTES = 32

export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly signature: Uint8Array
}

export interface Note {
  /** With its last newline; this is what the signatures cover. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  verify(message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  sign(message: Uint8Array): Uint8Array
}

// Unicode white space and plus; \s covers it with U+0085 added (golang unicode.IsSpace).
export const KEY_NAME = /^[^\s+\u0085]+$/u
// biome keeps control characters out of patterns, hence the code points.
function hasForbiddenControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

function malformed(message: string): LedgerError {
  return new LedgerError('note_malformed', message)
}

/** The first four bytes of SHA-256(name || 0x0A || type || public key), as a big-endian number. */
export function keyIdOf(
  name: string,
  publicKey: Uint8Array,
  sha256: Sha256,
  type = ED25519_TYPE,
): number {
  const digest = new Uint8Array(32)
  const head = Uint8Array.of(0x0a, type)
  sha256(concatBytes([toUtf8(name), head, publicKey]), digest, 0)
  return new DataView(digest.buffer).getUint32(0)
}

/** `name+id+base64(0x01 || public key)`. Throws `key_invalid` for a name the format cannot hold. */
export function verifierKeyOf(name: string, publicKey: Uint8Array, sha256: Sha256): string {
  return vkeyOf(name, ED25519_TYPE, publicKey, sha256)
}

/** The same for a key of any type. */
export function vkeyOf(name: string, type: number, publicKey: Uint8Array, sha256: Sha256): string {
  if (!KEY_NAME.test(name)) {
    throw new LedgerError('key_invalid', `a key name has no spaces and no plus: ${quoted(name)}`)
  }
  const id = keyIdOf(name, publicKey, sha256, type).toString(16).padStart(8, '0')
  return `${name}+${id}+${toBase64(concatBytes([Uint8Array.of(type), publicKey]))}`
}

/**
 * The verifier of a vkey such as `example.com/log+1a2b3c4d+A...`. Throws `key_invalid` when it does
 * not parse, is of another algorithm, or its id is not that of the key.
 * Source: https://pkg.go.dev/golang.org/x/mod/sumdb/note#NewVerifier
 */
export function ed25519Verifier(verifierKey: string, primitives: Primitives): NoteVerifier {
  const [name = '', id = '', ...keyParts] = verifierKey.split('+')
  const key = fromBase64(keyParts.join('+'))
  if (!KEY_NAME.test(name) || !/^[0-9a-f]{8}$/.test(id) || key === null) {
    throw new LedgerError('key_invalid', `not a verifier key: ${quoted(verifierKey)}`)
  }
  if (key[0] !== ED25519_TYPE || key.length !== 1 + ED25519_KEY_BYTES) {
    throw new LedgerError('key_invalid', `not an Ed25519 verifier key: ${quoted(verifierKey)}`)
  }
  const publicKey = key.subarray(1)
  const keyId = Number.parseInt(id, 16)
  if (keyIdOf(name, publicKey, primitives.sha256) !== keyId) {
    throw new LedgerError('key_invalid', `the id of ${quoted(verifierKey)} is not that of its key`)
  }
  return {
    name,
    keyId,
    verify: (message, signature) => primitives.verifyEd25519(publicKey, message, signature),
  }
}

/** The note with one signature line per signer. Throws `note_malformed` for a bad text. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n')) throw malformed('the text of a note ends with a newline')
  if (hasForbiddenControl(text)) throw malformed('the text of a note holds a control character')
  const message = toUtf8(text)
  const lines = signers.map((signer) => {
    const keyId = new Uint8Array(KEY_ID_BYTES)
    new DataView(keyId.buffer).setUint32(0, signer.keyId)
    return `— ${signer.name} ${toBase64(concatBytes([keyId, signer.sign(message)]))}\n`
  })
  return `${text}\n${lines.join('')}`
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name = '', base64 = '', ...more] = line.split(' ')
  const bytes = fromBase64(base64)
  if (dash !== '—' || more.length > 0 || !KEY_NAME.test(name) || bytes === null) {
    throw malformed('a signature line is not `— name base64`')
  }
  if (bytes.length <= KEY_ID_BYTES) throw malformed('a signature is too short')
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return { name, keyId, signature: bytes.subarray(KEY_ID_BYTES) }
}

/** Text and signatures, none of them checked. Throws `note_malformed`. */
export function parseNote(note: string): Note {
  if (note.length > NOTE_CHARACTERS_MAX) throw malformed('the note is too long')
  if (hasForbiddenControl(note)) throw malformed('the note holds a control character')
  const blank = note.lastIndexOf('\n\n')
  if (blank === -1 || !note.endsWith('\n')) throw malformed('the note has no signatures')
  const lines = note.slice(blank + 2, -1).split('\n')
  if (lines.length > NOTE_SIGNATURES_MAX) throw malformed('the note has too many signatures')
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * The note, with only the signatures of known keys left, each verified. Signatures of unknown keys
 * (name and id not both equal) are ignored. Throws `note_malformed`; `note_unverified` when a known
 * key's signature fails, or no known key signed.
 */
export async function openNote(note: string, known: readonly NoteVerifier[]): Promise<Note> {
  const { text, signatures } = parseNote(note)
  const message = toUtf8(text)
  const verified: NoteSignature[] = []
  for (const signature of signatures) {
    const key = known.find((k) => k.name === signature.name && k.keyId === signature.keyId)
    if (key === undefined) continue
    if (!(await key.verify(message, signature.signature))) {
      const name = quoted(signature.name)
      throw new LedgerError('note_unverified', `the signature of ${name} does not verify`)
    }
    verified.push(signature)
  }
  if (verified.length === 0) {
    throw new LedgerError('note_unverified', 'no known key signed the note')
  }
  return { text, signatures: verified }
}
