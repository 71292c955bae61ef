// What a call of a multipart upload means, given the gate's own record of that upload: parts are invisible
// until Complete, so the effect, the review and what is bound are there (red team C8). Pure; without a
// record every call is held to the worst it could be.
import { digestOf } from '../lib/canonical-json.ts'
import type { UploadPart, UploadRow } from '../state/store.ts'
import type { Action, JsonObject } from './action.ts'
import type { UploadContent } from './upload-content.ts'

export type UploadStep = 'create' | 'part' | 'copy' | 'complete' | 'abort'

/** Where a call stands in a multipart upload, as its parameters say. */
export interface UploadCall {
  readonly step: UploadStep
  readonly bucket: string
  readonly key: string
  /** Empty for `create`: S3 makes it. */
  readonly id: string
  /** 1 to 10,000; 0 where the call names none. */
  readonly part: number
}

const STEPS: Readonly<Record<string, UploadStep>> = {
  's3:AbortMultipartUpload': 'abort',
  's3:CompleteMultipartUpload': 'complete',
  's3:CreateMultipartUpload': 'create',
  's3:UploadPart': 'part',
  's3:UploadPartCopy': 'copy',
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PART_NUMBER_MAX = 10_000

/** Null for a call of any other kind, and for one that does not name what it is part of. */
export function uploadCall({ door, operation, parameters }: Action): UploadCall | null {
  const step = Object.hasOwn(STEPS, operation) ? STEPS[operation] : undefined
  if (door !== 'aws' || step === undefined) return null
  const { Bucket, Key, UploadId = '', PartNumber = 0 } = parameters
  if (typeof Bucket !== 'string' || typeof Key !== 'string') return null
  if (typeof UploadId !== 'string' || typeof PartNumber !== 'number') return null
  if ((step === 'create') !== (UploadId === '')) return null
  return { step, bucket: Bucket, key: Key, id: UploadId, part: PartNumber }
}

/** The gate's own record of one upload; its parts are read only for a `complete`. */
export interface UploadRecord {
  readonly row: UploadRow | undefined
  readonly parts: readonly UploadPart[]
}

/** True where `session` itself began this upload, through this gate, for this very object. */
function isOwn(call: UploadCall, row: UploadRow | undefined, session: string): boolean {
  return row?.sessionId === session && isOf(call, row)
}

function isOf({ bucket, key }: UploadCall, row: UploadRow): boolean {
  return row.bucket === bucket && row.key === key
}

/**
 * The Action in the light of the record. A part of an upload that this session did not begin may take the
 * place of somebody else's, so it is a replace too; ending an upload of its own undoes only what it staged
 * there. A Complete of parts that the gate has all seen is what they hold, whatever S3 calls them: the same
 * upload run again is the same Action, and one part swapped is another.
 */
export function staged(
  action: Action,
  call: UploadCall,
  { row, parts }: UploadRecord,
  session: string,
): Action {
  switch (call.step) {
    case 'create':
      return action
    case 'part':
    case 'copy':
      return isOwn(call, row, session) ? action : { ...action, effects: withReplace(action) }
    case 'abort':
      return isOwn(call, row, session) ? { ...action, effects: ['write'] } : action
    case 'complete':
      return row !== undefined && isOf(call, row) ? byContent(action, row, parts) : action
  }
}

function withReplace({ effects }: Action): Action['effects'] {
  return effects.includes('replace') ? effects : [...effects, 'replace']
}

function byContent(action: Action, row: UploadRow, parts: readonly UploadPart[]): Action {
  const { UploadId: _, MultipartUpload, ...others } = action.parameters
  const named = (MultipartUpload as JsonObject | undefined)?.['Parts']
  if (!Array.isArray(named) || named.length === 0) return action
  const seen = new Map(parts.map((part) => [part.number, part]))
  const rows: JsonObject[] = []
  let bytes = 0
  for (const each of named as readonly JsonObject[]) {
    const { ETag, PartNumber, ...more } = each
    const part = typeof PartNumber === 'number' ? seen.get(PartNumber) : undefined
    if (part?.sha256 == null || part.etag === null || plainTag(ETag) !== plainTag(part.etag)) {
      return action
    }
    bytes += part.bytes
    rows.push({ number: part.number, sha256: part.sha256, bytes: part.bytes, ...more })
  }
  const sha256 = digestOf({ parts: rows })
  const content: UploadContent = { parts: rows.length, bytes, sha256 }
  return {
    ...action,
    parameters: { ...others, Content: { ...content }, BegunWith: row.created },
    // In place of the hash of a list of names: that of what they name.
    body: sha256,
  }
}

function plainTag(etag: unknown): string | null {
  return typeof etag === 'string' ? etag.replaceAll('"', '') : null
}
