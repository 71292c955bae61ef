// Has the ledger's checkpoints cosigned by witnesses, and keeps the last one that enough of them cosigned
// beside the ledger, as a note with all its signatures. A witness that is slow, gone or says no keeps nobody
// up who does not wait for it. Source: https://c2sp.org/tlog-witness
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openCheckpoint, type SignedCheckpoint } from '@seconder/ledger/checkpoint'
import { widest } from '@seconder/ledger/consistency'
import { cosignaturesOf, cosignatureVerifier } from '@seconder/ledger/cosignature'
import { CHECKPOINT_FILE } from '@seconder/ledger/layout'
import { nodePrimitives } from '@seconder/ledger/node'
import { ed25519Verifier, NOTE_CHARACTERS_MAX, type NoteVerifier } from '@seconder/ledger/note'
import { consistencyProof } from '@seconder/ledger/proof'
import { tileNodeReader } from '@seconder/ledger/tile-reader'
import { formatAddCheckpoint } from '@seconder/ledger/witness-request'
import { GatewayError } from '../errors.ts'
import type { PublishedFiles } from '../lib/published-files.ts'
import type { WitnessConfig, WitnessDemand } from './record-config.ts'
import type { Recorder } from './recorder.ts'
import { contentNow, replacedFile } from './replaced-file.ts'

/** How long after an entry the witnesses are asked, where nobody waits for them, in milliseconds. */
const SOON_MS = 5_000
/** Between two rounds of one who waits, in milliseconds. */
const AGAIN_MS = 50
/** A witness may say twice that it saw another size than it was told. */
const TRIES = 3

export interface WitnessingOptions {
  readonly directory: string
  /** Where the ledger's files are instead of there. */
  readonly bucket?: PublishedFiles | null
  /** The vkey of the ledger. */
  readonly verifierKey: string
  readonly config: WitnessConfig
  /** Puts what is durable into the files that witnesses are shown. */
  readonly publish: () => Promise<void>
}

interface Asked {
  readonly url: string
  readonly key: string
  readonly verifier: NoteVerifier
  /** What it saw last, as far as is known. */
  size: number
  /** While it is being asked: one question at a time. */
  asking: Promise<void> | null
  /** The checkpoint that it cosigned last, and its line. */
  cosigned: { readonly size: number; readonly text: string; readonly line: string } | null
}

export class Witnessing {
  readonly #options: WitnessingOptions
  readonly #witnesses: readonly Asked[]
  readonly #verifier: NoteVerifier
  #opening: Promise<SignedCheckpoint> | null = null
  #keeping: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** A witness that saw more than this ledger has: older files were put in its place. */
  #isBehind: string | null = null

  constructor(options: WitnessingOptions) {
    this.#options = options
    this.#verifier = ed25519Verifier(options.verifierKey, nodePrimitives)
    this.#witnesses = options.config.list.map(({ url, key }) => ({
      url: url.replace(/\/$/, ''),
      key,
      verifier: cosignatureVerifier(key, nodePrimitives),
      size: 0,
      asking: null,
      cosigned: null,
    }))
  }

  /** Words for the operator; none while all is well. */
  notices(): string[] {
    return this.#isBehind === null ? [] : [this.#isBehind]
  }

  /** Asks the witnesses soon after what is recorded; returns what ends that. */
  follow(recorder: Pick<Recorder, 'onRecorded'>): () => void {
    const end = recorder.onRecorded(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#ask().catch(() => undefined) // who needs them waits in `cosigned`, and is told there
      }, SOON_MS).unref()
    })
    return () => {
      end()
      clearTimeout(this.#timer)
    }
  }

  /**
   * Resolves when as many witnesses as are demanded cosigned a checkpoint of at least this size.
   * Errors: `not_witnessed` when they did not within the time.
   */
  async cosigned(size: number, demand: WitnessDemand): Promise<void> {
    const endsMs = performance.now() + demand.timeoutMs
    while (this.#countOf(size, demand) < demand.threshold) {
      const leftMs = endsMs - performance.now()
      if (leftMs <= 0) throw notWitnessed(this.#countOf(size, demand), demand, this.#isBehind)
      const round = this.#ask()
        .catch(() => undefined)
        .then(() => pause(AGAIN_MS))
      await Promise.race([round, pause(leftMs, undefined, { ref: false })])
    }
  }

  #countOf(size: number, { keys }: WitnessDemand): number {
    const seen = this.#witnesses.filter(
      ({ cosigned }) => cosigned !== null && cosigned.size >= size,
    )
    return new Set(seen.map(({ key }) => key).filter((key) => keys.includes(key))).size
  }

  /** Asks each witness that is not being asked; one that is slow holds up no other, now or the next time. */
  async #ask(): Promise<void> {
    this.#opening ??= this.#checkpoint().finally(() => {
      this.#opening = null
    })
    const checkpoint = await this.#opening
    const asked: Promise<void>[] = []
    for (const witness of this.#witnesses) {
      if (witness.asking !== null || witness.cosigned?.text === checkpoint.note) continue
      witness.asking = this.#cosign(witness, checkpoint)
        .catch(() => undefined) // whoever waits for it is told that it did not cosign
        .finally(() => {
          witness.asking = null
        })
      asked.push(witness.asking)
    }
    if (asked.length > 0) await Promise.race(asked)
  }

  async #checkpoint(): Promise<SignedCheckpoint> {
    await this.#options.publish()
    const { directory, bucket } = this.#options
    const inDirectory = () => readFile(join(directory, CHECKPOINT_FILE), 'utf8')
    const text = await (bucket?.checkpoint() ?? inDirectory())
    return await openCheckpoint(text, this.#verifier.name, [this.#verifier])
  }

  async #cosign(witness: Asked, checkpoint: SignedCheckpoint): Promise<void> {
    const lines = await this.#askOne(witness, checkpoint)
    if (lines === null) return
    const { note: text, size } = checkpoint
    const [cosignature] = await cosignaturesOf(text + lines, [witness.verifier])
    if (cosignature === undefined) return
    // It counts when it is kept: one after another, so that no note lacks a line that another has.
    const kept = this.#keeping.then(async () => {
      const own = { key: witness.key, cosigned: { size, text, line: cosignature.line } }
      const known = new Map<string, string>()
      for (const { key, cosigned } of [...this.#witnesses, own]) {
        if (cosigned?.text === text) known.set(key, cosigned.line)
      }
      const isEnough = known.size >= this.#options.config.threshold
      if (isEnough) await this.#keep(text + [...known.values()].join(''), size)
      witness.cosigned = own.cosigned
    })
    this.#keeping = kept.catch(() => undefined) // told to whoever waits for `kept`
    await kept
  }

  /** The lines that the witness answers with; null where it does not cosign. */
  async #askOne(witness: Asked, checkpoint: SignedCheckpoint): Promise<string | null> {
    for (let tries = 0; tries < TRIES; tries++) {
      const body = await this.#body(witness.size, checkpoint)
      const signal = AbortSignal.timeout(this.#options.config.timeoutMs)
      const request = { method: 'POST', body, signal, redirect: 'error' } as const
      const response = await fetch(`${witness.url}/add-checkpoint`, request)
      const answer = await textOf(response)
      if (response.status === 200) {
        witness.size = checkpoint.size
        return answer
      }
      const size =
        response.status === 409 ? Number(/^(\d{1,16})\n?$/.exec(answer)?.[1]) : Number.NaN
      if (!Number.isSafeInteger(size)) return null
      if (size > checkpoint.size) {
        this.#isBehind =
          `the witness ${witness.verifier.name} saw ${size} entries of this ledger, which has ` +
          `${checkpoint.size}: older files were put in its place`
        return null
      }
      witness.size = size
    }
    return null
  }

  async #body(oldSize: number, checkpoint: SignedCheckpoint): Promise<string> {
    const { sha256 } = nodePrimitives
    const reader = tileNodeReader(sha256, widest(this.#readFile), checkpoint.size)
    const proof = await consistencyProof(sha256, reader, oldSize, checkpoint.size)
    return formatAddCheckpoint({ oldSize, proof, checkpoint: checkpoint.note })
  }

  readonly #readFile = async (name: string): Promise<Uint8Array | null> => {
    const { directory, bucket } = this.#options
    if (bucket) return bucket.read(name)
    try {
      return await readFile(join(directory, name))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

  /** A newer one stays: a witness that was slow, or another gateway, cosigned what is older by now. */
  async #keep(note: string, size: number): Promise<void> {
    const path = cosignedPath(this.#options.directory)
    for (let tries = 0; tries < TRIES; tries++) {
      const before = contentNow(path)
      if (before !== null && (await this.#sizeOf(before)) > size) return
      if (await replacedFile(path, note, { before, mode: 0o600 })) return
    }
    throw new Error('others keep replacing the cosigned checkpoint')
  }

  /** Of a checkpoint of this ledger; what is none is worth nothing. */
  async #sizeOf(note: string): Promise<number> {
    try {
      return (await openCheckpoint(note, this.#verifier.name, [this.#verifier])).size
    } catch {
      return -1
    }
  }
}

/** Where the last checkpoint that enough witnesses cosigned lies: beside the ledger, which is all signed. */
export function cosignedPath(directory: string): string {
  return `${directory.replace(/\/+$/, '')}.cosigned`
}

/** At most what a note has; a witness that sends more is not listened to. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > NOTE_CHARACTERS_MAX) throw new Error('the witness answers too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export function notWitnessed(
  count: number,
  demand: WitnessDemand,
  why: string | null,
): GatewayError {
  const said = why ?? 'they did not answer in time'
  return new GatewayError(
    'not_witnessed',
    `nothing was done: ${count} of the ${demand.threshold} witnesses that must have seen the ledger cosigned it; ${said}`,
    'tell whoever runs the gate to look at its witnesses; then run the call again, for a new review',
  )
}
