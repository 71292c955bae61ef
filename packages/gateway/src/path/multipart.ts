// Keeps the gate's record of multipart uploads along the path: what is begun, what each part holds, and that
// nothing of an upload changes while its Complete is decided and done (red team C8).
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
  described(action: Action, session: { readonly id: string }): Pick<InUpload, 'action' | 'upload'> {
    const upload = uploadCall(action)
    if (upload === null) return { action, upload }
    const store = this.#store
    const record = {
      row: upload.id === '' ? undefined : store.upload(upload.id),
      parts: () => store.uploadParts(upload.id),
    }
    return { action: staged(action, upload, record, session.id), upload }
  }

  /**
   * Runs a call while nothing that it rests on changes: parts and Complete of one upload exclude each other.
   * INVARIANT: begins in the same turn in which the call was described. Errors: `limit_reached`.
   */
  async apart<T>({ upload, session }: InUpload, run: () => Promise<T>): Promise<T> {
    if (upload?.step === 'create') this.#requireRoom(session.id)
    if (upload?.step === 'complete') return this.#whileWhole(upload.id, run)
    if (upload?.step === 'part' || upload?.step === 'copy') return this.#asPart(upload.id, run)
    return run()
  }

  /** Told right before the effect is begun: what was known of a part is known no more. */
  begins({ upload }: InUpload): void {
    if (upload !== null && isPart(upload)) this.#store.beginPart(upload.id, upload.part)
  }

  /** Told when the outcome is recorded. Silence leaves a part begun: what S3 holds there stays uncertain. */
  ended(call: InUpload, { outcome, answer }: Executed): void {
    const { upload } = call
    if (upload === null || outcome.result === 'unknown') return
    const done = outcome.result === 'succeeded' ? answer : null
    if (isPart(upload)) this.#endPart(call.action, upload, done)
    else if (done === null) return
    else if (upload.step === 'create') this.#begun(call, upload, done)
    else if (upload.step === 'complete' || upload.step === 'abort') this.#store.endUpload(upload.id)
  }

  #endPart(action: Action, { step, id, part: number }: UploadCall, answer: Answer | null): void {
    const etag = answer?.headers.find(([name]) => name.toLowerCase() === 'etag')?.[1]
    const body = step === 'part' ? action.parameters['Body'] : undefined
    const { sha256, bytes } = (body ?? {}) as { sha256?: string; bytes?: number }
    const isSeen = etag !== undefined && sha256 !== undefined && bytes !== undefined
    const held = isSeen ? { etag, sha256, bytes } : { etag: null, sha256: null, bytes: 0 }
    this.#store.endPart(id, { number, ...held })
  }

  #begun({ action, session }: InUpload, { bucket, key }: UploadCall, { body }: Answer): void {
    const id = uploadIdIn(body)
    // Without a record of it, each of its parts is held to be somebody else's.
    if (id === null) return
    const { Bucket: _bucket, Key: _key, ...created } = action.parameters
    this.#store.addUpload({ id, bucket, key, sessionId: session.id, created }, this.#clock.nowMs())
  }

  async #whileWhole<T>(id: string, run: () => Promise<T>): Promise<T> {
    if (this.#completing.has(id) || this.#parts.has(id)) throw busy()
    this.#completing.add(id)
    try {
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

  #requireRoom(sessionId: string): void {
    this.#store.pruneUploads(this.#clock.nowMs() - UPLOAD_KEPT_MS)
    const { ofSession, all } = this.#store.uploadCount(sessionId)
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
