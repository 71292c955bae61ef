// A witness of ledgers: cosigns a checkpoint only where it goes on from the last one that it cosigned, and
// remembers that one on the disk before it answers. Says what to answer to `add-checkpoint`; the socket is
// the caller's. Source: https://c2sp.org/tlog-witness (text at C2SP commit 055270b).

import { hash, type KeyObject, sign } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fromUtf8, sameBytes, toUtf8 } from './bytes.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import {
  COSIGNATURE_TYPE,
  cosignedMessage,
  cosignerKeyOf,
  encodeCosignature,
  signatureLine,
} from './cosignature.ts'
import { LedgerError } from './errors.ts'
import { type Files, nodeFiles } from './files.ts'
import { CHECKPOINT_BYTES_MAX, LOCK_FILE } from './layout.ts'
import { ed25519PublicKey, nodePrimitives } from './node.ts'
import { ed25519Verifier, keyIdOf, type NoteVerifier, parseNote } from './note.ts'
import { verifyConsistency } from './proof.ts'
import { emptyRoot } from './tree.ts'
import { type AddCheckpoint, parseAddCheckpoint, SIZE_CONTENT_TYPE } from './witness-request.ts'

export interface WitnessOptions {
  /** Where it remembers, for each ledger, the last checkpoint that it cosigned. Nobody else writes there. */
  readonly directory: string
  readonly name: string
  /** An Ed25519 private key that is used for nothing else. */
  readonly key: KeyObject
  /** The vkeys of the ledgers that it watches. */
  readonly ledgers: readonly string[]
  readonly nowMs?: () => number
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: string
  readonly body: string
}

const { sha256 } = nodePrimitives

export class Witness {
  readonly verifierKey: string
  readonly #options: WitnessOptions
  readonly #files: Files
  readonly #lock: { release(): void }
  readonly #keyId: number
  readonly #verifiers: readonly NoteVerifier[]
  /** One request after another, so that nothing comes between the comparison and what is remembered. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: WitnessOptions, files: Files, lock: { release(): void }) {
    this.#options = options
    this.#files = files
    this.#lock = lock
    const publicKey = ed25519PublicKey(options.key)
    this.#keyId = keyIdOf(options.name, publicKey, sha256, COSIGNATURE_TYPE)
    this.verifierKey = cosignerKeyOf(options.name, publicKey, sha256)
    this.#verifiers = options.ledgers.map((vkey) => ed25519Verifier(vkey, nodePrimitives))
  }

  /** Throws `key_invalid`; `ledger_locked` where another process remembers in this directory. */
  static async open(options: WitnessOptions, files: Files = nodeFiles()): Promise<Witness> {
    await files.makeDirectory(options.directory)
    // A loss of power that took the directory would take all that was cosigned from memory.
    await files.syncDirectory(dirname(options.directory))
    const lock = files.lock(join(options.directory, LOCK_FILE))
    try {
      return new Witness(options, files, lock)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Waits for what was begun, and lets go of the directory. */
  async close(): Promise<void> {
    await this.#turn
    this.#lock.release()
  }

  /** What to answer to this body. Rejects where the disk does not remember: then nothing was cosigned. */
  add(body: string): Promise<WitnessAnswer> {
    const answer = this.#turn.then(() => this.#add(body))
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  async #add(body: string): Promise<WitnessAnswer> {
    let asked: AddCheckpoint
    let origin: string
    try {
      asked = parseAddCheckpoint(body)
      ;[origin = ''] = parseNote(asked.checkpoint).text.split('\n')
    } catch (error) {
      return refused(400, error)
    }
    const verifiers = this.#verifiers.filter(({ name }) => name === origin)
    if (verifiers.length === 0) return words(404, 'this witness does not watch that ledger')
    let checkpoint: Checkpoint
    try {
      checkpoint = await openCheckpoint(asked.checkpoint, origin, verifiers)
    } catch (error) {
      const isUnsigned = error instanceof LedgerError && error.code === 'note_unverified'
      return refused(isUnsigned ? 403 : 400, error)
    }
    if (asked.oldSize > checkpoint.size) return words(400, 'the old size is larger than the new')
    return this.#goOn(asked, checkpoint)
  }

  async #goOn(asked: AddCheckpoint, checkpoint: Checkpoint): Promise<WitnessAnswer> {
    const last = await this.#last(checkpoint.origin)
    const isOther = asked.oldSize === checkpoint.size && !sameBytes(last.root, checkpoint.rootHash)
    if (asked.oldSize !== last.size || isOther) {
      return { status: 409, contentType: SIZE_CONTENT_TYPE, body: `${last.size}\n` }
    }
    try {
      const { size, rootHash } = checkpoint
      verifyConsistency(sha256, last.size, size, asked.proof, last.root, rootHash)
    } catch (error) {
      return refused(422, error)
    }
    if (checkpoint.size > last.size || !last.isKept) await this.#remember(asked, checkpoint)
    // A crash here leaves a checkpoint that is remembered and was not answered: it may be asked for again.
    const { text } = parseNote(asked.checkpoint)
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: this.#line(text) }
  }

  #line(text: string): string {
    const { key, name, nowMs = Date.now } = this.#options
    const atSeconds = Math.floor(nowMs() / 1000)
    const signature = sign(null, cosignedMessage(text, atSeconds), key)
    return signatureLine(name, this.#keyId, encodeCosignature(atSeconds, signature))
  }

  /** What was cosigned last; the empty tree where nothing was. Throws `ledger_corrupt`: then it is not known. */
  async #last(origin: string): Promise<{ size: number; root: Uint8Array; isKept: boolean }> {
    const bytes = await this.#files.read(this.#path(origin), CHECKPOINT_BYTES_MAX)
    if (bytes === null) return { size: 0, root: emptyRoot(sha256), isKept: false }
    try {
      const kept = parseCheckpoint(parseNote(fromUtf8(bytes) ?? '').text)
      if (kept.origin !== origin) throw new LedgerError('ledger_corrupt', 'it is of another ledger')
      return { size: kept.size, root: kept.rootHash, isKept: true }
    } catch (cause) {
      const message = 'what the witness remembers of this ledger cannot be read'
      throw new LedgerError('ledger_corrupt', message, { cause })
    }
  }

  /** Whole or not at all: a new file, synced, renamed over the old one, and the name synced. */
  async #remember(asked: AddCheckpoint, { origin }: Checkpoint): Promise<void> {
    const path = this.#path(origin)
    await this.#files.remove(`${path}.new`)
    const file = await this.#files.create(`${path}.new`)
    try {
      await file.write(toUtf8(asked.checkpoint), 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#files.rename(`${path}.new`, path)
    await this.#files.syncDirectory(this.#options.directory)
  }

  #path(origin: string): string {
    return join(this.#options.directory, hash('sha256', origin))
  }
}

function words(status: WitnessAnswer['status'], text: string): WitnessAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}

function refused(status: WitnessAnswer['status'], error: unknown): WitnessAnswer {
  if (!(error instanceof LedgerError)) throw error
  return words(status, error.message)
}
