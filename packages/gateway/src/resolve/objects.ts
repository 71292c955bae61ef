// Looks at the S3 objects that a write or delete would touch: what is there now (ETag, size, version, in
// the binding) and whether the bucket keeps the old version. HEAD reads only, through Look.
import type { JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { bytesInWords, quoted } from './amounts.ts'
import { type BucketLook, isPlainBucket, lookAtBucket } from './bucket.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look } from './look.ts'
import { asObject, listAt, objectAt, textAt } from './member.ts'
import type { Part } from './part.ts'
import { pinnedObject, placeOf } from './pinned-object.ts'
import { s3Call } from './read-call.ts'

/** DeleteObjects takes 1,000 keys; this many are looked at one by one, the rest are said unread. */
export const MAX_OBJECTS_READ = 100

interface ObjectRef {
  readonly key: string
  readonly versionId: string | null
}

interface ObjectLook {
  readonly state: 'there' | 'absent' | 'unread'
  readonly binding: JsonObject
  readonly finding: Finding
  readonly addedEffects: readonly Effect[]
}

/** PutObject, CopyObject, CompleteMultipartUpload, DeleteObject, DeleteObjects. */
export async function resolveObjects(action: Action, look: Look): Promise<Part> {
  const bucketName = textAt(action.parameters, 'Bucket')
  const refs = refsOf(action)
  if (bucketName === null || refs === null) {
    look.missed('could not read the objects that this would change: its parameters name none')
    return nothingRead('its parameters name no object')
  }
  const fate: Fate = action.operation.startsWith('s3:Delete') ? 'deleted' : 'overwritten'
  const looked = refs.slice(0, MAX_OBJECTS_READ)
  const [bucket, source] = await Promise.all([
    lookAtBucket(look, action.region, bucketName, 'changed', false),
    copySource(look, action),
  ])
  const objects = await Promise.all(
    looked.map((ref) => lookAtObject(look, action.region, bucket, ref, fate)),
  )
  if (looked.length < refs.length) {
    look.missed(`looked at ${looked.length} of the ${refs.length} objects, and at no more`)
  }
  const rest: JsonObject = looked.length < refs.length ? { rest: { unread: 'too many' } } : {}
  return {
    binding: {
      bucket: bucket.identity,
      objects: objects.map((object) => object.binding),
      ...rest,
      ...(source === null ? {} : { source }),
    },
    findings: objects.map((object) => object.finding),
    addedEffects: [
      ...objects.flatMap((object) => object.addedEffects),
      ...(looked.length < refs.length ? (['destroy'] as const) : []),
    ],
    before: null,
  }
}

function nothingRead(why: string): Part {
  return {
    binding: { objects: { unread: why } },
    findings: [],
    addedEffects: ['destroy'],
    before: null,
  }
}

function refsOf(action: Action): ObjectRef[] | null {
  const { parameters } = action
  if (action.operation !== 's3:DeleteObjects') {
    const key = textAt(parameters, 'Key')
    if (!isKey(key)) return null
    // Only a delete names a version; a put makes a new one.
    const versionId =
      action.operation === 's3:DeleteObject' ? textAt(parameters, 'VersionId') : null
    return [{ key, versionId }]
  }
  const entries = listAt(objectAt(parameters, 'Delete'), 'Objects')
  if (entries === null || entries.length === 0) return null
  const refs: ObjectRef[] = []
  for (const entry of entries) {
    const key = textAt(asObject(entry), 'Key')
    if (!isKey(key)) return null
    refs.push({ key, versionId: textAt(asObject(entry), 'VersionId') })
  }
  return refs
}

/** Half a surrogate pair has no UTF-8, so no such key can be asked for. */
function isKey(key: string | null): key is string {
  return key !== null && key !== '' && key.isWellFormed()
}

async function lookAtObject(
  look: Look,
  region: string,
  bucket: BucketLook,
  ref: ObjectRef,
  fate: Fate,
): Promise<ObjectLook> {
  const name = `${bucket.name}/${ref.key}`
  const place = { key: ref.key, versionId: ref.versionId }
  const row = { type: 'object', name, fate }
  if (bucket.state === 'absent') return absentObject(place, row)
  const headers = isPlainBucket(bucket.name)
    ? await look.head(s3Call(region, 'HEAD', bucket.name, ref.key, versionQuery(ref)))
    : ({ found: 'unknown', why: 'refused' } as const)
  if (headers.found === 'no') return absentObject(place, row)
  const etag = headers.found === 'yes' ? (headers.value.get('etag') ?? null) : null
  const size = headers.found === 'yes' ? Number(headers.value.get('content-length') ?? '?') : 0
  if (headers.found !== 'yes' || etag === null || !Number.isSafeInteger(size)) {
    const why = headers.found === 'unknown' ? headers.why : 'unreadable'
    const mark = look.missedBecause(`object ${quoted(name)}`, why)
    return unreadObject({ ...place, ...mark }, row)
  }
  const versionNow = headers.value.get('x-amz-version-id') ?? null
  const kept = isKept(bucket, ref)
  const undo = kept === null ? 'unknown' : kept ? 'yes' : 'no'
  return {
    state: 'there',
    binding: { ...place, etag, size, versionNow },
    finding: {
      ...row,
      holds: bytesInWords(size),
      holdsData: true,
      protectedFromDeletion: isLocked(headers.value),
      lastBackup: versionsInWords(bucket),
      undo,
    },
    addedEffects: kept === true ? [] : ['destroy'],
  }
}

/**
 * Whether what is there now stays as an older version. With versioning suspended the null version is
 * overwritten; a delete that names a version is for ever. null = could not look.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
 */
function isKept(bucket: BucketLook, ref: ObjectRef): boolean | null {
  if (ref.versionId !== null) return false
  return bucket.versioning === null ? null : bucket.versioning === 'Enabled'
}

/**
 * The lock headers come only to those who may read them, so their absence says nothing.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
function isLocked(headers: ReadonlyMap<string, string>): boolean | null {
  const held = headers.get('x-amz-object-lock-legal-hold') === 'ON'
  return held || headers.has('x-amz-object-lock-mode') ? true : null
}

function versionsInWords(bucket: BucketLook): string | null {
  if (bucket.versioning === null) return null
  return bucket.versioning === 'Enabled' ? 'versions on' : 'versions off'
}

function versionQuery(ref: ObjectRef): [string, string][] {
  return ref.versionId === null ? [] : [['versionId', ref.versionId]]
}

/** Nothing is there, so nothing is overwritten or lost; that it is absent is bound. */
function absentObject(
  place: JsonObject,
  row: { type: string; name: string; fate: Fate },
): ObjectLook {
  return {
    state: 'absent',
    binding: { ...place, absent: true },
    finding: {
      ...row,
      fate: row.fate === 'overwritten' ? 'created' : row.fate,
      holds: 'nothing: it does not exist',
      holdsData: false,
      protectedFromDeletion: false,
      lastBackup: '–',
      undo: 'yes',
    },
    addedEffects: [],
  }
}

/** Not knowing what is there counts as losing it. */
function unreadObject(
  binding: JsonObject,
  row: { type: string; name: string; fate: Fate },
): ObjectLook {
  return {
    state: 'unread',
    binding,
    finding: {
      ...row,
      holds: null,
      holdsData: null,
      protectedFromDeletion: null,
      lastBackup: null,
      undo: 'unknown',
    },
    addedEffects: ['destroy'],
  }
}

/**
 * What a copy would copy, pinned; null where the action copies nothing.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-copy-source)
 */
async function copySource(look: Look, action: Action): Promise<JsonObject | null> {
  if (action.operation !== 's3:CopyObject') return null
  const source = textAt(action.parameters, 'CopySource') ?? ''
  const mark = source.lastIndexOf('?versionId=')
  const path = (mark === -1 ? source : source.slice(0, mark)).replace(/^\//, '')
  const versionId = mark === -1 ? null : source.slice(mark + '?versionId='.length)
  const place = placeOf(path, versionId)
  if (place !== null) return pinnedObject(look, action.region, place)
  look.missed('could not read what would be copied: its source is not a plain bucket and key')
  return { unread: 'not a plain name' }
}
