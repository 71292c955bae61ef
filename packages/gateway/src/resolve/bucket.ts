// Looks at one S3 bucket: its versioning (binding), how many objects it holds and how big they are, and
// whether something protects them. Sends reads only, through Look.
import type { JsonObject } from '@seconder/aws/call'
import { bytesInWords, counted, grouped, quoted } from './amounts.ts'
import { childText, elementsNamed, type XmlTree } from './answer-xml.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look, Looked } from './look.ts'
import { s3Call } from './read-call.ts'

/** Most pages of 1,000 objects that are counted. */
export const MAX_OBJECT_PAGES = 5

const PAGE_SIZE = 1000
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (with the older
// us-east-1 names). Access point ARNs and directory buckets are not reached in path style.
const BUCKET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/

export type Versioning = 'Enabled' | 'Suspended' | 'off'

export interface BucketLook {
  readonly name: string
  readonly state: 'there' | 'absent' | 'unread'
  readonly versioning: Versioning | null
  /** Name and versioning, `{name, absent}` or `{name, unread}`. */
  readonly identity: JsonObject
  readonly finding: Finding
}

interface Contents {
  readonly holds: string | null
  readonly holdsData: boolean | null
}

/** False for what has no path-style address: ARNs of access points, directory buckets, `*`. */
export function isPlainBucket(name: string): boolean {
  return BUCKET_NAME.test(name) && !name.endsWith('--x-s3')
}

/** `countObjects`: false where only versioning matters, as for a write of one object. */
export async function lookAtBucket(
  look: Look,
  region: string,
  name: string,
  fate: Fate,
  countObjects: boolean,
): Promise<BucketLook> {
  if (!isPlainBucket(name)) {
    look.missed(`could not read bucket ${quoted(name)}: it is not addressed by a plain name`)
    return unreadBucket(name, fate, { name, unread: 'not a plain name' })
  }
  const [versions, contents, locked] = await Promise.all([
    look.xml(s3Call(region, 'GET', name, null, [['versioning', '']]), ['NoSuchBucket']),
    countObjects ? contentsOf(look, region, name) : { holds: null, holdsData: null },
    countObjects ? hasObjectLock(look, region, name) : null,
  ])
  if (versions.found === 'no') return absentBucket(name, fate)
  const state = versions.found === 'yes' ? versioningOf(versions.value) : null
  if (state === null) {
    const why = versions.found === 'unknown' ? versions.why : 'unreadable'
    const mark = look.missedBecause(`versioning of bucket ${quoted(name)}`, why)
    const unread = unreadBucket(name, fate, { name, ...mark })
    return { ...unread, finding: { ...unread.finding, ...contents, protectedFromDeletion: locked } }
  }
  const whole = await withOlderVersions(look, region, name, state.versioning, contents)
  return {
    name,
    state: 'there',
    versioning: state.versioning,
    identity: { name, versioning: state.versioning, mfaDelete: state.mfaDelete },
    finding: {
      ...row(name, fate),
      ...whole,
      protectedFromDeletion: state.mfaDelete ? true : locked,
      lastBackup: state.versioning === 'off' ? 'versions off' : 'versions on',
      undo: whole.holdsData === null ? 'unknown' : whole.holdsData ? 'no' : 'yes',
    },
  }
}

function row(name: string, fate: Fate): { type: string; name: string; fate: Fate } {
  return { type: 'bucket', name, fate }
}

function unreadBucket(name: string, fate: Fate, identity: JsonObject): BucketLook {
  return {
    name,
    state: 'unread',
    versioning: null,
    identity,
    finding: {
      ...row(name, fate),
      holds: null,
      holdsData: null,
      protectedFromDeletion: null,
      lastBackup: null,
      undo: 'unknown',
    },
  }
}

function absentBucket(name: string, fate: Fate): BucketLook {
  return {
    name,
    state: 'absent',
    versioning: 'off',
    identity: { name, absent: true },
    finding: {
      ...row(name, fate),
      holds: 'nothing: it does not exist',
      holdsData: false,
      protectedFromDeletion: false,
      lastBackup: '–',
      undo: 'yes',
    },
  }
}

/**
 * A bucket that never had versioning answers without Status.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
 */
function versioningOf(tree: XmlTree): { versioning: Versioning; mfaDelete: boolean } | null {
  if (tree.name !== 'VersioningConfiguration') return null
  const status = childText(tree, 'Status')
  const mfaDelete = (childText(tree, 'MfaDelete') ?? childText(tree, 'MFADelete')) === 'Enabled'
  if (status === 'Enabled' || status === 'Suspended') return { versioning: status, mfaDelete }
  return status === null ? { versioning: 'off', mfaDelete } : null
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
async function contentsOf(look: Look, region: string, name: string): Promise<Contents> {
  let objects = 0
  let bytes = 0
  let token: string | null = null
  for (let page = 0; page < MAX_OBJECT_PAGES; page += 1) {
    const query: [string, string][] = [
      ['list-type', '2'],
      ['max-keys', String(PAGE_SIZE)],
      ...(token === null ? [] : [['continuation-token', token] as [string, string]]),
    ]
    const looked: Looked<XmlTree> = await look.xml(s3Call(region, 'GET', name, null, query), [
      'NoSuchBucket',
    ])
    if (looked.found === 'no') return { holds: 'nothing: it does not exist', holdsData: false }
    const listed = looked.found === 'yes' ? pageOf(looked.value) : null
    if (listed === null) {
      const why = looked.found === 'unknown' ? looked.why : 'unreadable'
      look.missedBecause(`all objects of bucket ${quoted(name)}`, why)
      if (objects === 0) return { holds: null, holdsData: null }
      return { holds: `at least ${inWords(objects, bytes)}`, holdsData: true }
    }
    objects += listed.objects
    bytes += listed.bytes
    token = listed.token
    if (token === null) return { holds: inWords(objects, bytes), holdsData: objects > 0 }
  }
  const limit = MAX_OBJECT_PAGES * PAGE_SIZE
  return {
    holds: `more than ${grouped(limit)} objects · more than ${bytesInWords(bytes)}`,
    holdsData: true,
  }
}

function inWords(objects: number, bytes: number): string {
  return `${counted(objects, 'object')} · ${bytesInWords(bytes)}`
}

function pageOf(tree: XmlTree): { objects: number; bytes: number; token: string | null } | null {
  if (tree.name !== 'ListBucketResult') return null
  let bytes = 0
  const contents = elementsNamed(tree, 'Contents')
  for (const object of contents) {
    const size = Number(childText(object, 'Size') ?? Number.NaN)
    if (!Number.isSafeInteger(size) || size < 0) return null
    bytes += size
  }
  const truncated = childText(tree, 'IsTruncated') === 'true'
  const token = childText(tree, 'NextContinuationToken')
  if (truncated && token === null) return null
  return { objects: contents.length, bytes, token: truncated ? token : null }
}

/** A versioned bucket without current objects may still hold every older version. */
async function withOlderVersions(
  look: Look,
  region: string,
  name: string,
  versioning: Versioning,
  contents: Contents,
): Promise<Contents> {
  if (versioning === 'off' || contents.holdsData !== false) return contents
  const query = [
    ['versions', ''],
    ['max-keys', String(PAGE_SIZE)],
  ] as const
  const looked = await look.xml(s3Call(region, 'GET', name, null, query), ['NoSuchBucket'])
  if (looked.found === 'yes' && looked.value.name === 'ListVersionsResult') {
    if (elementsNamed(looked.value, 'Version').length > 0) {
      return { holds: 'no current objects, older versions of some', holdsData: true }
    }
    if (childText(looked.value, 'IsTruncated') === 'false') return contents
  }
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  look.missedBecause(`older versions in bucket ${quoted(name)}`, why)
  return { holds: contents.holds, holdsData: null }
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html */
async function hasObjectLock(look: Look, region: string, name: string): Promise<boolean | null> {
  const call = s3Call(region, 'GET', name, null, [['object-lock', '']])
  // NotImplemented: a store that speaks S3 and has no object lock, so nothing is locked by it.
  const absent = ['ObjectLockConfigurationNotFoundError', 'NoSuchBucket', 'NotImplemented']
  const looked = await look.xml(call, absent)
  if (looked.found === 'no') return false
  if (looked.found === 'yes' && looked.value.name === 'ObjectLockConfiguration') {
    return childText(looked.value, 'ObjectLockEnabled') === 'Enabled'
  }
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  look.missedBecause(`object lock of bucket ${quoted(name)}`, why)
  return null
}
