// Keeps the gate's record of multipart uploads along the path: what is begun, what each part holds, and that
// nothing of an upload changes while its Complete is decided and done (red team C8).
import { isDeepStrictEqual } from 'node:util'
import { parseXml } from '@seconder/aws/xml/xml-tree'
import type { Action } from '../describe/action.ts'
import { PART_NUMBER_MAX, staged, type UploadCall, uploadCall } from '../describe/staged-upload.ts'
import { GatewayError } from '../errors.ts'
import type { Answer, Executed } from '../execute/execute.ts'
import type { Clock } from '../lib/clock.ts'
import type { Store } from '../state/store.ts'

/** Uploads begun and not ended; what was begun longer ago than a session lasts is forgotten. */
export const UPLOADS_PER_SESSION_MAX = 50
export const UPLOADS_MAX = 200
export const UPLOAD_KEPT_MS = 24 * 60 * 60_000

/** A call of the path, as far as it is one of a multipart upload. */
export interface InUpload {
  /** As its parameters say, without the record. */
  readonly asSent: Action
  readonly action: Action
  readonly upload: UploadCall | null
  readonly session: { readonly id: string }
}

export class Multipart {
  readonly #store: Store
  readonly #clock: Clock
  /** Parts under way, by upload. */
  readonly #parts = new Map<string, number>()
  readonly #completing = new Set<string>()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** What the call means in the light of the record. */
  async described(
    asSent: Action,
    session: { readonly id: string },
  ): Promise<Omit<InUpload, 'session'>> {
    const upload = uploadCall(asSent)
    if (upload === null) return { asSent, action: asSent, upload }
    const row = upload.id === '' ? undefined : await this.#store.upload(upload.id)
    const isWhole = upload.step === 'complete' && row !== undefined
    const parts = isWhole ? await this.#store.uploadParts(upload.id) : []
    return { asSent, action: staged(asSent, upload, { row, parts }, session.id), upload }
  }

  /**
   * Runs a call while nothing that it rests on changes: parts and Complete of one upload exclude each other.
   * Errors: `limit_reached`.
   */
  async apart<T>(call: InUpload, run: () => Promise<T>): Promise<T> {
    const { upload, session } = call
    if (upload?.step === 'create') await this.#requireRoom(session.id)
    if (upload?.step === 'complete') return this.#whileWhole(upload.id, call, run)
    if (upload?.step === 'part' || upload?.step === 'copy') return this.#asPart(upload.id, run)
    return run()
  }

  /** Told right before the effect is begun: what was known of a part is known no more. */
  async begins({ upload }: InUpload): Promise<void> {
    if (upload !== null && isPart(upload)) await this.#store.beginPart(upload.id, upload.part)
  }

  /** Told when the outcome is recorded. Silence leaves a part begun: what S3 holds there stays uncertain. */
  async ended(call: InUpload, { outcome, answer }: Executed): Promise<void> {
    const { upload } = call
    if (upload === null || outcome.result === 'unknown') return
    const done = outcome.result === 'succeeded' ? answer : null
    if (isPart(upload)) await this.#endPart(call.action, upload, done)
    else if (done === null) return
    else if (upload.step === 'create') await this.#begun(call, upload, done)
    else if (upload.step === 'complete' || upload.step === 'abort')
      await this.#store.endUpload(upload.id)
  }

  async #endPart(
    action: Action,
    { step, id, part: number }: UploadCall,
    answer: Answer | null,
  ): Promise<void> {
    const etag = answer?.headers.find(([name]) => name.toLowerCase() === 'etag')?.[1]
    const body = step === 'part' ? action.parameters['Body'] : undefined
    const { sha256, bytes } = (body ?? {}) as { sha256?: string; bytes?: number }
    const isSeen = etag !== undefined && sha256 !== undefined && bytes !== undefined
    const held = isSeen ? { etag, sha256, bytes } : { etag: null, sha256: null, bytes: 0 }
    await this.#store.endPart(id, { number, ...held })
  }

  async #begun(
    { action, session }: InUpload,
    { bucket, key }: UploadCall,
    { body }: Answer,
  ): Promise<void> {
    const id = uploadIdIn(body)
    // Without a record of it, each of its parts is held to be somebody else's.
    if (id === null) return
    const { Bucket: _bucket, Key: _key, ...created } = action.parameters
    await this.#store.addUpload(
      { id, bucket, key, sessionId: session.id, created },
      this.#clock.nowMs(),
    )
  }

  async #whileWhole<T>(id: string, call: InUpload, run: () => Promise<T>): Promise<T> {
    if (this.#completing.has(id) || this.#parts.has(id)) throw busy()
    this.#completing.add(id)
    try {
      // A part may have come and gone since the call was described; from here on none does.
      const now = await this.described(call.asSent, call.session)
      if (!isDeepStrictEqual(now.action, call.action)) throw busy()
      return await run()
    } finally {
      this.#completing.delete(id)
    }
  }

  async #asPart<T>(id: string, run: () => Promise<T>): Promise<T> {
    if (this.#completing.has(id)) throw busy()
    this.#parts.set(id, (this.#parts.get(id) ?? 0) + 1)
    try {
      return await run()
    } finally {
      const left = (this.#parts.get(id) ?? 1) - 1
      if (left > 0) this.#parts.set(id, left)
      else this.#parts.delete(id)
    }
  }

  async #requireRoom(sessionId: string): Promise<void> {
    await this.#store.pruneUploads(this.#clock.nowMs() - UPLOAD_KEPT_MS)
    const { ofSession, all } = await this.#store.uploadCount(sessionId)
    if (ofSession < UPLOADS_PER_SESSION_MAX && all < UPLOADS_MAX) return
    const whose = ofSession < UPLOADS_PER_SESSION_MAX ? 'this gate has' : 'this session has'
    throw new GatewayError(
      'limit_reached',
      `${whose} as many multipart uploads open as it may; nothing was done`,
      'complete or abort one of them',
    )
  }
}

function isPart({ step, part }: UploadCall): boolean {
  return (step === 'part' || step === 'copy') && part >= 1 && part <= PART_NUMBER_MAX
}

function busy(): GatewayError {
  return new GatewayError(
    'limit_reached',
    'parts and the completion of one multipart upload came at the same time; nothing was done',
    'complete an upload when all of its parts have been answered',
  )
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
function uploadIdIn(body: Uint8Array): string | null {
  try {
    const id = parseXml(body).children.find(({ name }) => name === 'UploadId')?.text ?? ''
    return id === '' ? null : id
  } catch {
    return null // then there is no record, and every part of it is held to be somebody else's
  }
}
