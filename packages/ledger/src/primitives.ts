// The two primitives that a reader of a ledger needs, as ports, so that the same code verifies in
// Node and in a browser. `node.ts` binds node:crypto; `web.ts` binds what every browser has.

/** Writes the 32-byte SHA-256 of `input` into `output` at `offset`. */
export type Sha256 = (input: Uint8Array, output: Uint8Array, offset: number) => void

/** Whether `signature` (64 bytes) is `publicKey`'s (32 bytes) over `message`. Source: RFC 8032. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/**
 * Bytes as a text of one character a byte. Where a platform hands out digests so (Node does, in half the time
 * of bytes), a tile of them is compared in one step.
 */
export interface BinaryText {
  sha256(input: Uint8Array): string
  of(bytes: Uint8Array): string
  /** The bytes of the text, written into `into` at `offset`. */
  put(text: string, into: Uint8Array, offset: number): void
}

/** Messages in one array, from left to right and none over another: each from its start to its end. */
export interface Messages {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly count: number
  /** The byte that stands before each when it is hashed, in the place of the one before it in `bytes`, which
   * is of no message and stays as it is; null for none. */
  readonly prefix: number | null
}

/** SHA-256 of many at once, where that is faster than one by one. It says what `sha256` does. */
export interface Sha256Many {
  /** Writes the digests into `output`, 32 bytes each. Messages have at most 256 KiB. */
  hash(messages: Messages, output: Uint8Array): void
  /**
   * From `count` hashes, a power of two from 2 to 256, to the root above them, in place: it is the first
   * 32 bytes, and what stands behind it is no more of use. Source: RFC 6962 section 2.1.
   */
  climb(hashes: Uint8Array, count: number): void
}

/** What the hashes of a tree are computed with. */
export interface Hasher {
  readonly sha256: Sha256
  /** Absent where there is none, or it is not faster: one by one is always right. */
  readonly many?: Sha256Many | undefined
}

export interface Primitives extends Hasher {
  readonly binaryText?: BinaryText
  readonly verifyEd25519: VerifyEd25519
}
