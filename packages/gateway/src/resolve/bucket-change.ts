// Makes the Evidence of what changes a whole S3 bucket: DeleteBucket, versioning, lifecycle. The bucket's
// versioning is bound; for a lifecycle also the rules that are there now, by their hash.
import type { JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { digestOf } from '../lib/canonical-json.ts'
import { quoted } from './amounts.ts'
import { asJson } from './answer-xml.ts'
import { type BucketLook, isPlainBucket, lookAtBucket } from './bucket.ts'
import type { Fate } from './evidence.ts'
import type { Look } from './look.ts'
import { objectAt, textAt } from './member.ts'
import type { Part } from './part.ts'
import { s3Call } from './read-call.ts'

/** One bucket, by its name in `Bucket`. */
export async function resolveBucket(action: Action, look: Look): Promise<Part> {
  const name = textAt(action.parameters, 'Bucket')
  const deletes = action.operation === 's3:DeleteBucket'
  if (name === null) {
    look.missed('could not read the bucket: the parameters name none')
    const binding = { bucket: { unread: 'the parameters name no bucket' } }
    return { binding, findings: [], addedEffects: ['destroy'], before: null }
  }
  const fate: Fate = deletes ? 'deleted' : 'changed'
  const [bucket, lifecycle] = await Promise.all([
    lookAtBucket(look, action.region, name, fate, true),
    action.operation.includes('Lifecycle') ? lifecycleOf(look, action.region, name) : null,
  ])
  return {
    binding: { bucket: bucket.identity, ...(lifecycle === null ? {} : { lifecycle }) },
    findings: [deletes ? bucket.finding : { ...bucket.finding, undo: undoOf(action, bucket) }],
    addedEffects: addedEffects(action, bucket),
    before:
      action.operation === 's3:PutBucketVersioning' && bucket.versioning !== null
        ? { versioning: bucket.versioning }
        : null,
  }
}

/** What a rule has expired is gone; versioning can be turned on again, what was overwritten not. */
function undoOf(action: Action, bucket: BucketLook): 'yes' | 'no' | 'unknown' {
  if (bucket.state !== 'there') return bucket.finding.undo === 'yes' ? 'yes' : 'unknown'
  if (action.operation.includes('Lifecycle')) return 'unknown'
  return addedEffects(action, bucket).includes('destroy') ? 'no' : 'yes'
}

function addedEffects(action: Action, bucket: BucketLook): Effect[] {
  if (bucket.state === 'absent') return []
  switch (action.operation) {
    case 's3:DeleteBucket':
      return ['destroy']
    case 's3:PutBucketVersioning': {
      const wanted = objectAt(action.parameters, 'VersioningConfiguration')
      return textAt(wanted, 'Status') === 'Enabled' ? [] : ['destroy']
    }
    // Whether a rule expires data is in the request itself: describe has said so.
    default:
      return []
  }
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html */
async function lifecycleOf(look: Look, region: string, name: string): Promise<JsonObject> {
  if (!isPlainBucket(name)) return { unread: 'not a plain name' }
  const call = s3Call(region, 'GET', name, null, [['lifecycle', '']])
  const looked = await look.xml(call, ['NoSuchLifecycleConfiguration', 'NoSuchBucket'])
  if (looked.found === 'no') return { absent: true }
  if (looked.found === 'yes' && looked.value.name === 'LifecycleConfiguration') {
    return { sha256: digestOf(asJson(looked.value)) }
  }
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  return look.missedBecause(`the lifecycle rules of bucket ${quoted(name)}`, why)
}
