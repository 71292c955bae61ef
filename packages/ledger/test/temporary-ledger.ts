// A ledger in a temporary directory for tests, with a fixed key so that failures repeat. Reads and
// changes its files by name; never used outside tests.

import { createPrivateKey } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directorySource, verifyDirectory } from '../src/directory.ts'
import type { LedgerOptions } from '../src/ledger.ts'
import { nodeSigner } from '../src/node.ts'
import type { VerifyReport } from '../src/verify.ts'

export const ORIGIN = 'seconder.example/test'

/** RFC 8032 section 7.1, TEST 1: the secret key, in the PKCS #8 form of RFC 8410. */
const PKCS8_PREFIX = '302e020100300506032b657004220420'
const SECRET = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'

export const signer = createPrivateKey({
  key: Buffer.from(PKCS8_PREFIX + SECRET, 'hex'),
  format: 'der',
  type: 'pkcs8',
})
export const verifierKey = nodeSigner(ORIGIN, signer).verifierKey

/** A new directory that is removed at the end of the scope. */
export function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'seconder-ledger-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function ledgerOptions(directory: string): LedgerOptions {
  return { directory, origin: ORIGIN, signer }
}

/** Re-verifies the whole ledger from its files alone, as a stranger would. */
export function checkLedger(directory: string, since?: string): Promise<VerifyReport> {
  return verifyDirectory(directory, since === undefined ? { verifierKey } : { verifierKey, since })
}

export function fileNames(directory: string): string[] {
  return [...(directorySource(directory).list() as string[])].sort()
}

export function copyLedger(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
}

/** Changes one bit of one byte of a file; calling it again changes it back. */
export function flipByte(directory: string, name: string, offset: number, bit = 1): void {
  const path = join(directory, name)
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] ?? 0) ^ bit
  writeFileSync(path, bytes)
}

/** Numbers in [0, 1) that are the same in every run. Source: mulberry32, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function entryOf(index: number, length = 40): Buffer {
  const text = `entry ${index} `
  return Buffer.from(text.padEnd(length, '.'))
}
