// Where a ledger lies for whoever verifies it: a directory, a bucket of S3, or any web server that shows its files.
// What is remote is read ahead, and only as far as the checkpoint that was read first: a gate may go on publishing.
import { hash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { S3Objects } from '@seconder/gateway/lib/s3-objects'
import { s3Endpoint } from '@seconder/gateway/record/record-config'
import { openCheckpoint } from '@seconder/ledger/checkpoint'
import { type DirectoryOptions, verifyDirectory } from '@seconder/ledger/directory'
import { LedgerError, quoted } from '@seconder/ledger/errors'
import {
  CHECKPOINT_FILE,
  fileBytesMax,
  ledgerFile,
  PAYLOAD_BYTES_MAX,
  payloadPath,
} from '@seconder/ledger/layout'
import { nodePrimitives } from '@seconder/ledger/node'
import { ed25519Verifier, type NoteVerifier } from '@seconder/ledger/note'
import type { LedgerSource } from '@seconder/ledger/source'
import { levelHashes, TILE_WIDTH, type TileName, tilePath, tilesOf } from '@seconder/ledger/tiles'
import { type VerifyReport, verifyLedger } from '@seconder/ledger/verify'
import { CommandFailure, EXIT } from './failure.ts'

/** Payloads beside a log. */
export interface PayloadsBeside {
  has(sha256: string): boolean | Promise<boolean>
  /** Null where it is not there, is larger than any payload, or has another digest. */
  text(sha256: string): string | null | Promise<string | null>
}

export interface LedgerPlace {
  readonly beside: PayloadsBeside
  /** Whether `verify` holds every payload there against its digest; a web server cannot list them. */
  readonly readsPayloads: boolean
  verify(options: DirectoryOptions): Promise<VerifyReport>
  /** Whether somebody published there since it was verified: then what was wrong may be so no more. */
  isLive(): Promise<boolean>
}

/** How long one file is waited for, in milliseconds. */
const FILE_MS = 30_000
/** Bundles and their tiles that are asked for before they are needed. */
const AHEAD = 8
/** A gate publishes at least so often while there is something to publish, in milliseconds. */
const PUBLISHED_MS = 1_000
/** How long after a write a directory is looked at again, in milliseconds. */
const LIVE_MS = 60_000

export function isRemote(place: string): boolean {
  return /^(s3|https?):\/\//.test(place)
}

/** Some things read more of a ledger than its verifier does. */
export function notRemote(what: string): CommandFailure {
  const help = 'copy the files here first, e.g. `aws s3 sync s3://BUCKET/PREFIX DIR`'
  return new CommandFailure('usage', `${what} is made from a folder`, help, EXIT.usage)
}

/** As it is now; whoever tries again asks for it again. */
export function placeOf(place: string): LedgerPlace {
  if (!isRemote(place)) {
    return {
      beside: besideDirectory(place),
      readsPayloads: true,
      verify: (options) => verifyDirectory(place, options),
      // Written to a moment ago: somebody may be at it.
      isLive: async () => Date.now() - statSync(place).mtimeMs < LIVE_MS,
    }
  }
  const files = place.startsWith('s3:') ? inBucket(place) : onServer(place)
  let source: RemoteSource | undefined
  return {
    beside: {
      has: (sha256) => isDigest(sha256) && files.has(payloadPath(sha256)),
      text: async (sha256) =>
        isDigest(sha256) ? ownText(sha256, await files.read(payloadPath(sha256))) : null,
    },
    readsPayloads: place.startsWith('s3:'),
    // Threads read directories alone.
    verify: ({ threads: _, ...options }) => {
      source = new RemoteSource(files, options.verifierKey)
      return verifyLedger(source, { ...options, primitives: nodePrimitives })
    },
    isLive: async () => (await source?.hasChanged()) ?? false,
  }
}

export function besideDirectory(folder: string) {
  const has = (sha256: string) => isDigest(sha256) && existsSync(join(folder, payloadPath(sha256)))
  return {
    has,
    text(sha256: string): string | null {
      const file = join(folder, payloadPath(sha256))
      if (!has(sha256) || statSync(file).size > PAYLOAD_BYTES_MAX) return null
      return ownText(sha256, readFileSync(file))
    },
  }
}

/** An entry may name anything; what is no digest is no file. */
function isDigest(sha256: string): boolean {
  return /^[0-9a-f]{64}$/.test(sha256)
}

function ownText(sha256: string, bytes: Uint8Array | null): string | null {
  const isOwn = bytes !== null && hash('sha256', bytes, 'hex') === sha256
  return isOwn ? Buffer.from(bytes).toString('utf8') : null
}

interface RemoteFiles {
  /** Every name there is; null where nobody can say, as of a web server. */
  list(): Promise<string[] | null>
  read(name: string): Promise<Uint8Array | null>
  has(name: string): Promise<boolean>
}

function inBucket(address: string): RemoteFiles {
  const objects = new S3Objects({ address, endpoint: s3Endpoint(process.env) })
  let names: Promise<Set<string>> | undefined
  const all = async () => {
    const found = new Set<string>()
    for await (const name of objects.names('')) found.add(name)
    return found
  }
  const listed = () => {
    names ??= all()
    return names
  }
  return {
    list: async () => [...(await listed())],
    read: async (name) => (await objects.get(name, fileBytesMax(name)))?.bytes ?? null,
    has: async (name) => (await listed()).has(name),
  }
}

function onServer(address: string): RemoteFiles {
  const base = address.replace(/\/+$/, '')
  const ask = (name: string, method: 'GET' | 'HEAD') =>
    fetch(`${base}/${name}`, { method, signal: AbortSignal.timeout(FILE_MS) })
  return {
    list: async () => null,
    async has(name) {
      const { status, ok } = await ask(name, 'HEAD')
      if (!ok && status !== 404) throw new Error(`the server answered ${status}`)
      return ok
    },
    async read(name) {
      const response = await ask(name, 'GET')
      if (response.status === 404) return null
      if (!response.ok) throw new Error(`the server answered ${response.status}`)
      return await limited(response, name)
    },
  }
}

/** Errors: `file_too_large`. */
async function limited({ body }: Response, name: string): Promise<Uint8Array> {
  const bytesMax = fileBytesMax(name)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.length
    if (bytes > bytesMax) {
      throw new LedgerError('file_too_large', `${quoted(name)} has more than ${bytesMax} bytes`)
    }
    pieces.push(piece)
  }
  return new Uint8Array(Buffer.concat(pieces))
}

/** The checkpoint first, then what it needs; what was published after it is left out. */
class RemoteSource implements LedgerSource {
  readonly #files: RemoteFiles
  readonly #verifier: NoteVerifier
  #checkpoint: Uint8Array | null = null
  #size = 0
  readonly #ahead = new Map<string, Promise<Uint8Array>>()

  constructor(files: RemoteFiles, verifierKey: string) {
    this.#files = files
    this.#verifier = ed25519Verifier(verifierKey, nodePrimitives)
  }

  async list(): Promise<Iterable<string>> {
    this.#checkpoint = await this.#files.read(CHECKPOINT_FILE)
    this.#size = await sizeIn(this.#checkpoint, this.#verifier)
    const listed = await this.#files.list()
    const own = this.#checkpoint === null ? [] : [CHECKPOINT_FILE]
    if (listed === null) return [...own, ...[...tilesOf(this.#size)].map(tilePath)]
    return [...own, ...listed.filter((name) => name !== CHECKPOINT_FILE && !this.#isNewer(name))]
  }

  /** Whether there is another checkpoint by now. */
  async hasChanged(): Promise<boolean> {
    // What was dropped a moment ago is published in the next.
    await setTimeout(PUBLISHED_MS)
    const now = await this.#files.read(CHECKPOINT_FILE)
    return Buffer.compare(now ?? Buffer.alloc(0), this.#checkpoint ?? Buffer.alloc(0)) !== 0
  }

  async read(name: string): Promise<Uint8Array> {
    if (name === CHECKPOINT_FILE && this.#checkpoint !== null) return this.#checkpoint
    const file = ledgerFile(name)
    if (file.kind === 'tile') this.#readAhead(file.tile)
    const begun = this.#ahead.get(name)
    this.#ahead.delete(name)
    return await (begun ?? this.#whole(name))
  }

  async #whole(name: string): Promise<Uint8Array> {
    const bytes = await this.#files.read(name)
    if (bytes === null) throw new LedgerError('path_invalid', 'it is not there')
    return bytes
  }

  /** Full bundles are asked for in order, each with its tile. */
  #readAhead({ level, index, width }: TileName): void {
    if (level !== 'entries' || width !== TILE_WIDTH) return
    const end = Math.min(index + AHEAD, Math.floor(this.#size / TILE_WIDTH))
    for (let next = index; next < end; next++) {
      for (const part of ['entries', 0] as const) {
        const name = tilePath({ level: part, index: next, width: TILE_WIDTH })
        if (this.#ahead.has(name) || (part === 'entries' && next === index)) continue
        const begun = this.#whole(name)
        begun.catch(() => undefined) // told to whoever asks for it
        this.#ahead.set(name, begun)
      }
    }
  }

  #isNewer(name: string): boolean {
    const file = ledgerFile(name)
    if (file.kind !== 'tile') return false
    const { level, index, width } = file.tile
    const hashes = levelHashes(level === 'entries' ? 0 : level, this.#size)
    return index * TILE_WIDTH + width > hashes
  }
}

/** What nobody signed says nothing of how much there is to ask for. */
async function sizeIn(checkpoint: Uint8Array | null, verifier: NoteVerifier): Promise<number> {
  try {
    const note = Buffer.from(checkpoint ?? []).toString('utf8')
    return (await openCheckpoint(note, verifier.name, [verifier])).size
  } catch (cause) {
    // The verifier says what is wrong with it.
    if (cause instanceof LedgerError) return 0
    throw cause
  }
}
