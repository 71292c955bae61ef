// Pins the S3 object that an action reads from, such as the source of a copy or a template: its ETag and
// version enter the binding, so that other content under the same name is another action.
import type { JsonObject } from '@seconder/aws/call'
import { quoted } from './amounts.ts'
import { isPlainBucket } from './bucket.ts'
import type { Look } from './look.ts'
import { s3Call } from './read-call.ts'

export interface ObjectPlace {
  readonly bucket: string
  readonly key: string
  readonly versionId: string | null
}

/** Of a percent-encoded `bucket/key`; null where it is not a plain bucket and a key. */
export function placeOf(path: string, versionId: string | null): ObjectPlace | null {
  const plain = decoded(path)
  const slash = plain?.indexOf('/') ?? -1
  if (plain === null || slash < 1) return null
  const [bucket, key] = [plain.slice(0, slash), plain.slice(slash + 1)]
  return isPlainBucket(bucket) && key !== '' ? { bucket, key, versionId } : null
}

/** Of an `s3://bucket/key` address, whose letters are the key's own; null where it is no such address. */
export function placeOfAddress(address: string): ObjectPlace | null {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(address) ?? []
  return isPlainBucket(bucket) && key !== '' ? { bucket, key, versionId: null } : null
}

/** What is there now, `{absent}` or `{unread}`. */
export async function pinnedObject(
  look: Look,
  region: string,
  place: ObjectPlace,
): Promise<JsonObject> {
  const { bucket, key, versionId } = place
  const query = versionId === null ? [] : [['versionId', versionId] as const]
  const headers = await look.head(s3Call(region, 'HEAD', bucket, key, query))
  if (headers.found === 'no') return { bucket, key, versionId, absent: true }
  const etag = headers.found === 'yes' ? (headers.value.get('etag') ?? null) : null
  if (headers.found !== 'yes' || etag === null) {
    const why = headers.found === 'unknown' ? headers.why : 'unreadable'
    return { bucket, key, ...look.missedBecause(`the source ${quoted(`${bucket}/${key}`)}`, why) }
  }
  const versionNow = headers.value.get('x-amz-version-id') ?? null
  return { bucket, key, versionId, etag, versionNow }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}
