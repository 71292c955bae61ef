// What a CompleteMultipartUpload would put together. Parts that the gate saw are in the Action by their
// hashes; of all others S3 is asked, and their ETags and sizes bind (red team C7, C8).
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action } from '../describe/action.ts'
import { contentOf } from '../describe/upload-content.ts'
import { digestOf } from '../lib/canonical-json.ts'
import { bytesInWords, counted } from './amounts.ts'
import { childText, elementsNamed, type XmlTree } from './answer-xml.ts'
import type { Look, Why } from './look.ts'
import { asObject, listAt, objectAt, textAt } from './member.ts'
import { resolveObjects } from './objects.ts'
import type { Part } from './part.ts'
import { s3Call } from './read-call.ts'

/** Pages of 1,000 parts; an upload has 10,000 at most. */
const MAX_PAGES = 10
const PAGE_SIZE = '1000'

interface Listed {
  readonly etag: string
  readonly size: number
}

/** The object that would be there, and what it is made of. */
export async function resolveComplete(action: Action, look: Look): Promise<Part> {
  const [object, upload] = await Promise.all([resolveObjects(action, look), uploadOf(action, look)])
  return {
    ...object,
    binding: { ...object.binding, ...(upload.binding && { upload: upload.binding }) },
    addedEffects: [...object.addedEffects, ...(upload.isSeen ? [] : (['opaque'] as const))],
    content: upload.content,
  }
}

interface UploadLook {
  /** Null where the Action itself says it. */
  readonly binding: JsonObject | null
  /** True where the gate saw every byte. */
  readonly isSeen: boolean
  readonly content: string
}

async function uploadOf(action: Action, look: Look): Promise<UploadLook> {
  const known = contentOf(action)
  if (known !== null) {
    const { parts, bytes } = known
    const content = `It is put together from ${amount(parts, bytes)}; the gate saw and hashed all of it.`
    return { binding: null, isSeen: true, content }
  }
  look.missed('the gate did not see all that would be put together, nor perhaps its settings')
  const listed = await listParts(action, look)
  if (listed.found === 'no') {
    return unseen({ absent: true }, 'There is no such upload, so this would fail.')
  }
  if (listed.found === 'unknown') {
    const mark = look.missedBecause('the parts of this upload', listed.why)
    return unseen(mark, 'What it is put together from could not be looked up.')
  }
  return named(action, listed.parts)
}

/** The parts that the call names, as S3 has them. */
function named(action: Action, listed: ReadonlyMap<number, Listed>): UploadLook {
  const parts = listAt(objectAt(action.parameters, 'MultipartUpload'), 'Parts') ?? []
  const rows: Json[] = []
  let bytes = 0
  let missing = 0
  for (const part of parts) {
    const object = asObject(part)
    const number = object?.['PartNumber']
    const there = typeof number === 'number' ? listed.get(number) : undefined
    if (there === undefined || plain(textAt(object, 'ETag')) !== plain(there.etag)) missing += 1
    bytes += there?.size ?? 0
    rows.push({ number: number ?? null, etag: there?.etag ?? null, size: there?.size ?? null })
  }
  const binding = { parts: rows.length, bytes, sha256: digestOf({ parts: rows }) }
  const content =
    missing > 0
      ? `Of its ${counted(parts.length, 'part')} S3 does not have ${missing} as named, so this would fail.`
      : `It is put together from ${amount(parts.length, bytes)}, known by size and ETag alone: the gate did not see all of it.`
  return unseen(binding, content)
}

function unseen(binding: JsonObject, content: string): UploadLook {
  return { binding, isSeen: false, content }
}

function amount(parts: number, bytes: number): string {
  return `${counted(parts, 'part')}, ${bytesInWords(bytes)}`
}

type PartsFound =
  | { readonly found: 'yes'; readonly parts: ReadonlyMap<number, Listed> }
  | { readonly found: 'no' }
  | { readonly found: 'unknown'; readonly why: Why }

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
async function listParts({ parameters, region }: Action, look: Look): Promise<PartsFound> {
  const [bucket, key] = [textAt(parameters, 'Bucket'), textAt(parameters, 'Key')]
  const uploadId = textAt(parameters, 'UploadId')
  const isNamed = bucket !== null && key?.isWellFormed() === true && uploadId !== null
  if (!isNamed) return { found: 'unknown', why: 'unreadable' }
  const parts = new Map<number, Listed>()
  let marker: string | null = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: [string, string][] = [
      ['uploadId', uploadId],
      ['max-parts', PAGE_SIZE],
    ]
    if (marker !== null) query.push(['part-number-marker', marker])
    const looked = await look.xml(s3Call(region, 'GET', bucket, key, query), ['NoSuchUpload'])
    if (looked.found !== 'yes') return looked
    if (!readPage(looked.value, parts)) return { found: 'unknown', why: 'unreadable' }
    if (childText(looked.value, 'IsTruncated') !== 'true') return { found: 'yes', parts }
    const next = childText(looked.value, 'NextPartNumberMarker')
    if (next === null || next === marker) return { found: 'unknown', why: 'unreadable' }
    marker = next
  }
  return { found: 'unknown', why: 'budget' }
}

function readPage(page: XmlTree, parts: Map<number, Listed>): boolean {
  for (const part of elementsNamed(page, 'Part')) {
    const number = Number(childText(part, 'PartNumber') ?? 'none')
    const size = Number(childText(part, 'Size') ?? 'none')
    const etag = childText(part, 'ETag')
    if (!Number.isSafeInteger(number) || !Number.isSafeInteger(size) || etag === null) return false
    parts.set(number, { etag, size })
  }
  return true
}

function plain(etag: string | null): string | null {
  return etag === null ? null : etag.replaceAll('"', '')
}
