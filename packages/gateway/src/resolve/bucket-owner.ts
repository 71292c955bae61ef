// Proves whose the buckets of a change are (red team M8): the name of a bucket is the same in every account,
// so only S3 itself can say that it is the caller's. One HEAD with the expected owner for each bucket.
import { namedBuckets } from '@seconder/aws/describe/named-buckets'
import type { Action, JsonObject } from '../describe/action.ts'
import { quoted } from './amounts.ts'
import { type Look, WORDS } from './look.ts'
import { s3OwnerCall } from './read-call.ts'

/** Buckets asked about for one action; what is past them stays unproved. */
export const MAX_BUCKETS = 8

/** `{owners: [{bucket, account}]}`, the account null where it is not proved; null where no bucket is named. */
export async function bucketOwners(action: Action, look: Look): Promise<JsonObject | null> {
  if (action.door !== 'aws' || !/^\d{12}$/.test(action.account)) return null
  // A bucket that is only made now belongs to whoever makes it.
  // Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  if (action.operation === 's3:CreateBucket') return null
  const touched = action.resources.map(
    ({ arn }) => /^arn:[^:]*:s3:::([^/*?]+)(?:\/|$)/.exec(arn)?.[1],
  )
  const named = [...touched, ...namedBuckets(action.operation, action.parameters)]
  const buckets = [...new Set(named)].filter((name) => name !== undefined)
  if (buckets.length === 0) return null
  const looked = buckets.slice(0, MAX_BUCKETS)
  const owners = await Promise.all(
    looked.map(async (bucket) => ({ bucket, account: await ownerOf(action, bucket, look) })),
  )
  return {
    owners: [...owners, ...buckets.slice(MAX_BUCKETS).map((bucket) => ({ bucket, account: null }))],
  }
}

/**
 * S3 answers 403 where the owner is another one, and where the role may not look: both prove nothing.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
async function ownerOf({ account, region }: Action, bucket: string, look: Look) {
  const head = await look.head(s3OwnerCall(region, bucket, account))
  if (head.found === 'yes') return account
  const why = head.found === 'no' ? 'there is no such bucket' : WORDS[head.why]
  look.missed(`could not prove whose bucket ${quoted(bucket)} is: ${why}`)
  return null
}
