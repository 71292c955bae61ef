// Pins the template that a call names by address (TemplateURL): an S3 object whose content can change
// between the review and the effect (redteam C7). It is read by HEAD only, and never fetched.
import type { JsonObject } from '@seconder/aws/call'
import type { Action } from '../describe/action.ts'
import type { Look } from './look.ts'
import { textAt } from './member.ts'
import { pinnedObject, placeOf } from './pinned-object.ts'

// Both styles, with and without region, dashed as of old; `.cn` for China.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
const S3_HOST =
  /^(?:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?$/

// Some readers take such a segment away and others look for a key that has it.
const DOT_SEGMENT = /[/\\](?:\.|%2e){1,2}(?:[/\\?#]|$)/i

/** The pinned object, `{unread}`, or null where the call names no address. */
export async function templateAddress(look: Look, action: Action): Promise<JsonObject | null> {
  const address = textAt(action.parameters, 'TemplateURL')
  if (address === null) return null
  const url = URL.parse(address)
  const host = url?.protocol === 'https:' && url.port === '' ? S3_HOST.exec(url.hostname) : null
  if (url === null || host === null || DOT_SEGMENT.test(address)) return unpinned(look)
  const [, bucket, region] = host
  const path = url.pathname.slice(1)
  const versionId = url.searchParams.get('versionId')
  const place = placeOf(bucket === undefined ? path : `${bucket}/${path}`, versionId)
  if (place === null) return unpinned(look)
  look.missed('what the template at that address says is not shown, only held to')
  return pinnedObject(look, region ?? action.region, place)
}

function unpinned(look: Look): JsonObject {
  look.missed('the template is at an address whose content can change before it is used')
  return { unread: 'an address, not content' }
}
