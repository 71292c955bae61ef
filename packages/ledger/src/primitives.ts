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

export interface Primitives {
  readonly sha256: Sha256
  readonly binaryText?: BinaryText
  readonly verifyEd25519: VerifyEd25519
}
