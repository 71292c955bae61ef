// The ledger as the gate uses it: append an entry and know that it is durable, read it back, and
// store larger payloads beside it. Opening recovers from whatever a crash left, and refuses files
// that are older than, or fork from, what was acknowledged before.

import type { KeyObject } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { sameBytes } from './bytes.ts'
import { openCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { type Files, nodeFiles } from './files.ts'
import { fileBytesMax, LOCK_FILE } from './layout.ts'
import { nodePrimitives, nodeSigner } from './node.ts'
import { ed25519Verifier } from './note.ts'
import { rootAt } from './proof.ts'
import { dropPayload } from './publication.ts'
import { publisherUnderLoad } from './publisher-thread.ts'
import { type Identity, type Recovered, Recovery } from './recovery.ts'
import { type ReadFile, tileNodeReader } from './tile-reader.ts'
import { Writer } from './writer.ts'

export interface LedgerOptions {
  readonly directory: string
  /** The name of the log: the first line of its checkpoints, and the name of its key. */
  readonly origin: string
  /** An Ed25519 private key. */
  readonly signer: KeyObject
  /** The note of a checkpoint that was acknowledged before; opening refuses an older ledger. */
  readonly lastAcknowledged?: string
  /** Called once when a failed write stops the ledger. */
  readonly onFatal?: (error: Error) => void
}

export interface Ledger {
  /**
   * The index of the entry, when it is durable. Rejects with `entry_too_large` (65,535 bytes at
   * most), `queue_full`, `ledger_stopped`, `ledger_closed`; after `ledger_stopped` the entry may or
   * may not be found in the ledger when it is opened again.
   */
  append(entry: Uint8Array): Promise<{ index: number }>
  /** Entries that are durable. */
  readonly size: number
  /** The vkey (`name+id+base64`) that verifies this ledger's checkpoints. */
  readonly verifierKey: string
  /** The last durable signed checkpoint. */
  checkpoint(): { size: number; rootHash: Uint8Array; note: string }
  /** The entry. Rejects with `entry_unknown`, `ledger_corrupt`. */
  read(index: number): Promise<Uint8Array>
  /** The RFC 6962 leaf hash of entry 0, which names this ledger; null while it is empty. */
  firstEntryHash(): Uint8Array | null
  /** The SHA-256 in hex, when the bytes are durable beside the log, or `payload_too_large`. */
  putPayload(bytes: Uint8Array): Promise<string>
  /** The payload. Rejects with `payload_unknown`, `ledger_corrupt`. */
  readPayload(sha256Hex: string): Promise<Uint8Array>
  /** Resolves when no payload of that name is there any more, durably. An entry must say why: see PayloadUses. */
  dropPayload(sha256Hex: string): Promise<void>
  /** Waits for what was appended, publishes it and lets go of the directory. */
  close(): Promise<void>
}

/** A ledger whose one writer is here. */
export interface FileLedger extends Ledger {
  /**
   * The index of the first of these entries when all are durable; they stand one after another. Rejects as
   * `append` does, with `size_invalid` where there is none, and then none of them was appended; after
   * `ledger_stopped` the first few of them may be found.
   */
  appendAll(entries: readonly Uint8Array[]): Promise<{ first: number }>
  /** Resolves when all that is durable now is published. Rejects with `ledger_stopped`, `ledger_closed`. */
  publish(): Promise<void>
}

/** Refuses the ledger unless the acknowledged checkpoint is one of its own past. */
async function checkAcknowledged(
  note: string,
  identity: Identity,
  { checkpoint }: Recovered,
  readFile: ReadFile,
): Promise<void> {
  const { origin, verifier, sha256 } = identity
  const acknowledged = await openCheckpoint(note, origin, [verifier])
  if (acknowledged.size > checkpoint.size) {
    const message = `it ends at ${checkpoint.size}, and ${acknowledged.size} was acknowledged`
    throw new LedgerError('ledger_older_than_acknowledged', message)
  }
  const reader = tileNodeReader(sha256, readFile, checkpoint.size)
  const root = await rootAt(sha256, reader, acknowledged.size)
  if (!sameBytes(root, acknowledged.rootHash)) {
    const message = `the first ${acknowledged.size} entries are not those that were acknowledged`
    throw new LedgerError('ledger_older_than_acknowledged', message)
  }
}

/** Makes the directory where there is none, and the names of all that it made durable. */
async function makeDurableDirectory(directory: string, files: Files): Promise<void> {
  const topmost = await files.makeDirectory(directory)
  if (topmost === undefined) return
  const parents: string[] = []
  for (let made = directory; made.length >= topmost.length; made = dirname(made)) {
    parents.push(dirname(made))
  }
  for (const parent of parents) await files.syncDirectory(parent)
}

/**
 * The ledger in this directory, made when there is none. Throws `ledger_locked` when it is open
 * elsewhere, `ledger_corrupt` when the files do not lead to their signed checkpoints,
 * `ledger_older_than_acknowledged` for a rollback or a fork, `key_invalid` for the signer.
 */
export async function openLedger(options: LedgerOptions, ownFiles?: Files): Promise<FileLedger> {
  const files = ownFiles ?? nodeFiles()
  const directory = resolve(options.directory)
  const signer = nodeSigner(options.origin, options.signer)
  const verifier = ed25519Verifier(signer.verifierKey, nodePrimitives)
  const { sha256, many } = nodePrimitives
  const readFile: ReadFile = (name) => files.read(join(directory, name), fileBytesMax(name))
  const identity: Identity = { origin: options.origin, signer, verifier, sha256, many }
  await makeDurableDirectory(directory, files)
  const lock = files.lock(join(directory, LOCK_FILE))
  try {
    const recovered = await new Recovery(files, directory, identity).recover()
    if (options.lastAcknowledged !== undefined) {
      await checkAcknowledged(options.lastAcknowledged, identity, recovered, readFile)
    }
    const onFatal = options.onFatal ?? (() => {})
    const first = await firstLeafHash(recovered.checkpoint.size, identity, readFile)
    const { publication } = recovered
    // A thread has files of its own: those of node.
    const publisher = ownFiles ? publication : publisherUnderLoad(directory, publication)
    const writer = new Writer({ directory, files, identity, publisher, onFatal }, recovered, first)
    const drop = (digest: string) => dropPayload(files, directory, digest)
    return ledgerOf(writer, lock, { verifierKey: signer.verifierKey, drop })
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Everything is published when a ledger has been recovered, so entry 0 is in the first tile. */
async function firstLeafHash(
  size: number,
  { sha256 }: Identity,
  readFile: ReadFile,
): Promise<Uint8Array | null> {
  return size === 0 ? null : await tileNodeReader(sha256, readFile, size)(0, 0)
}

function ledgerOf(
  writer: Writer,
  lock: { release(): void },
  {
    verifierKey,
    drop,
  }: { readonly verifierKey: string; readonly drop: (digest: string) => Promise<void> },
): FileLedger {
  let closed: Promise<void> | null = null
  return {
    verifierKey,
    append: (entry) => writer.append(entry),
    appendAll: (entries) => writer.appendAll(entries),
    publish: () => writer.publish(),
    get size() {
      return writer.durable.size
    },
    checkpoint() {
      const { size, rootHash, note } = writer.durable
      return { size, rootHash, note }
    },
    read: (index) => writer.read(index),
    firstEntryHash: () => writer.firstLeafHash,
    putPayload: (bytes) => writer.putPayload(bytes),
    readPayload: (digest) => writer.readPayload(digest),
    dropPayload: drop,
    close() {
      closed ??= writer.close().finally(() => lock.release())
      return closed
    },
  }
}
