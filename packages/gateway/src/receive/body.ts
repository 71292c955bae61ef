// Reads the body of one request: into memory where it is small, else onto the disk at constant memory,
// its framing taken off and its bytes hashed on the way. Until all of it is read nothing is done with it.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { ChunkReader } from '@seconder/aws/sigv4/chunk-reader'
import { GatewayError } from '../errors.ts'
import type { ReceivedBody, SpooledBody } from './received.ts'
import { bodyTooLarge, type Spool, type SpoolFile } from './spool.ts'

/** Bytes of body the gate holds in memory for one request. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024

export interface BodyTimes {
  /** How long no byte may come, in milliseconds. */
  readonly idleMs: number
  /** How long a body in memory may take, from its head on. */
  readonly smallMs: number
  /** How long one on the disk may take; signatures are remembered for longer (serve.ts). */
  readonly largeMs: number
}

export const BODY_TIMES: BodyTimes = {
  idleMs: 60_000,
  smallMs: 300_000,
  largeMs: 60 * 60_000,
}

/**
 * Asked before a body is put on the disk: takes its framing off, where it has one. What it throws is why
 * that body is not wanted.
 */
export type Admit = () => Promise<ChunkReader | null>

export interface BodyOptions {
  readonly spool: Spool
  readonly times: BodyTimes
  readonly admit: Admit
  /** Called when the announced length is acceptable, and before anything is read. */
  readonly beforeReading: () => Promise<void>
}

export interface ReadBody {
  readonly body: ReceivedBody
  /** Lets go of a body on the disk; call it when its request has had its answer. */
  readonly release: () => Promise<void>
}

/**
 * The whole body. Errors: `body_too_large`, `spool_full`, `request_closed` when the client goes or
 * stalls, and whatever `admit` and its reader throw; then nothing of it is held any more.
 */
export async function readBody(
  incoming: IncomingMessage,
  { spool, times, admit, beforeReading }: BodyOptions,
): Promise<ReadBody> {
  const wireBytes = lengthIn(incoming, 'content-length')
  const payloadBytes = lengthIn(incoming, 'x-amz-decoded-content-length') || wireBytes
  const { bodyBytesMax } = spool.limits
  if (payloadBytes > bodyBytesMax) throw bodyTooLarge(bodyBytesMax)
  const isLarge = wireBytes > BODY_BYTES_MAX
  const chunks = isLarge ? await admit() : null
  await beforeReading()
  const pieces = new Pieces(incoming, times)
  try {
    const begun: Uint8Array[] = []
    if (!isLarge && (await pieces.all(begun, BODY_BYTES_MAX))) {
      const body = begun.length === 1 ? (begun[0] as Uint8Array) : Buffer.concat(begun)
      return { body, release: async () => undefined }
    }
    pieces.allow(times.largeMs)
    const reader = isLarge ? chunks : await admit()
    return await spooled(pieces, begun, await spool.begin(payloadBytes), reader)
  } finally {
    pieces.stop()
  }
}

async function spooled(
  pieces: Pieces,
  begun: Uint8Array[],
  file: SpoolFile,
  chunks: ChunkReader | null,
): Promise<ReadBody> {
  try {
    const sha256 = createHash('sha256')
    const take = async (piece: Uint8Array) => {
      const payload: Uint8Array[] = []
      if (chunks === null) payload.push(piece)
      else chunks.push(piece, (data) => payload.push(data))
      for (const data of payload) sha256.update(data)
      const [only] = payload
      if (only !== undefined) await file.write(payload.length === 1 ? only : Buffer.concat(payload))
    }
    for (let first = begun.shift(); first !== undefined; first = begun.shift()) await take(first)
    for (let next = await pieces.next(); next !== null; next = await pieces.next()) await take(next)
    const framing = chunks?.end() ?? null
    const body: SpooledBody = {
      sha256: sha256.digest('hex'),
      byteLength: file.byteLength,
      framing,
      read: () => file.read(),
    }
    return { body, release: () => file.close() }
  } catch (cause) {
    await file.close()
    throw cause
  }
}

/** The body as it comes; a client that stalls is disconnected. */
class Pieces {
  readonly #incoming: IncomingMessage
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #idle: NodeJS.Timeout
  #deadline: NodeJS.Timeout

  constructor(incoming: IncomingMessage, { idleMs, smallMs }: BodyTimes) {
    this.#incoming = incoming
    // Left undestroyed where a body is refused half-way, so that the refusal can still be told.
    const pieces: AsyncIterable<Uint8Array> = incoming.iterator({ destroyOnReturn: false })
    this.#iterator = pieces[Symbol.asyncIterator]()
    this.#idle = setTimeout(this.#giveUp, idleMs)
    this.#deadline = setTimeout(this.#giveUp, smallMs)
  }

  /** Null at the end. Errors: `request_closed`. */
  async next(): Promise<Uint8Array | null> {
    this.#idle.refresh()
    try {
      const { done, value } = await this.#iterator.next()
      return done === true ? null : value
    } catch (cause) {
      throw new GatewayError(
        'request_closed',
        'the client went, or stalled, before its request was whole; nothing was done',
        'send the whole request',
        { cause },
      )
    }
  }

  /** Adds what comes to `into`; false as soon as that is more than `bytesMax`. */
  async all(into: Uint8Array[], bytesMax: number): Promise<boolean> {
    let bytes = 0
    for (let next = await this.next(); next !== null; next = await this.next()) {
      into.push(next)
      bytes += next.byteLength
      if (bytes > bytesMax) return false
    }
    return true
  }

  allow(ms: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(this.#giveUp, ms)
  }

  stop(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#deadline)
  }

  readonly #giveUp = () => {
    this.#incoming.destroy(new Error('stalled'))
  }
}

/** 0 where nothing, or nothing that is a length, is announced: what comes is counted in any case. */
function lengthIn({ headers }: IncomingMessage, name: string): number {
  const value = headers[name]
  return typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : 0
}
