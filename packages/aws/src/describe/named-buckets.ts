// Names the buckets that a change writes to or takes from beside those it is about: by members that are called
// so, and by values that can be nothing else (`s3://...`, an ARN of S3). Whose they are is not known here. Pure.

import type { Json, JsonObject } from '../call.ts'
import { bucketsIn } from '../sql/outside.ts'
import { isStatementMember } from '../sql/statement-members.ts'
import { isObject } from './decode-json.ts'
import { BUCKET_MEMBERS, NAMES_BUCKET, NOT_A_PARTY } from './parties-table.ts'

/** Buckets that are named; more than these are no plain call. */
export const NAMED_BUCKETS_MAX = 100
const DEPTH_MAX = 64

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const IN_VALUE = /^(?:s3a?:\/\/|arn:[a-z-]+:s3:::)([^/*?]+)/

/** The names, each once. A call of S3 itself says its own bucket in `Bucket`, which is none of these. */
export function namedBuckets(operation: string, parameters: JsonObject): string[] {
  const found = new Set<string>()
  const isS3 = operation.startsWith('s3:')
  walk(parameters, '', 0, (name, text) => {
    // A statement names them anywhere in its text.
    if (isStatementMember(operation, name)) {
      for (const bucket of bucketsIn(text)) if (found.size < NAMED_BUCKETS_MAX) found.add(bucket)
    }
    const byValue = IN_VALUE.exec(text)?.[1]
    const isNamed = NAMES_BUCKET.test(name) && !(isS3 && name === 'Bucket')
    const bucket = byValue ?? (isNamed || BUCKET_MEMBERS[operation] === name ? text : undefined)
    if (bucket !== undefined && NAME.test(bucket) && found.size < NAMED_BUCKETS_MAX)
      found.add(bucket)
  })
  return [...found]
}

function walk(
  value: Json,
  name: string,
  depth: number,
  visit: (name: string, text: string) => void,
): void {
  if (depth > DEPTH_MAX || NOT_A_PARTY.has(name)) return
  if (typeof value === 'string') visit(name, value)
  else if (Array.isArray(value)) for (const each of value) walk(each, name, depth + 1, visit)
  else if (isObject(value)) {
    for (const [member, each] of Object.entries(value)) walk(each, member, depth + 1, visit)
  }
}
