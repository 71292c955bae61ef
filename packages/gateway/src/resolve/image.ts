// Pins a container image: a tag is a name whose content can change (redteam C7), a digest is not. Only
// ECR is asked; an image elsewhere cannot be pinned and that is said.
import type { JsonObject } from '@seconder/aws/call'
import { actingCall } from './acting-reads.ts'
import { quoted } from './amounts.ts'
import type { Look } from './look.ts'
import { asObject, listAt, textAt } from './member.ts'

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
const ECR_IMAGE =
  /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([a-z0-9._/-]+?)(?::([\w.-]{1,128}))?(?:@(sha256:[0-9a-f]{64}))?$/

export function isEcrImage(text: string): boolean {
  return ECR_IMAGE.test(text)
}

/** The digest behind an image reference, `{unread}` where it could not be looked up. */
export async function pinnedImage(look: Look, image: string): Promise<JsonObject> {
  const own = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1]
  if (own !== undefined) return { image, digest: own }
  const [, registryId, region, repositoryName, tag = 'latest'] = ECR_IMAGE.exec(image) ?? []
  if (registryId === undefined || region === undefined || repositoryName === undefined) {
    look.missed(`image ${quoted(image)} is a name whose content can change before it is used`)
    return { image, digest: null }
  }
  const imageIds = [{ imageTag: tag }]
  const input = { registryId, repositoryName, imageIds }
  const looked = await look.json(actingCall(region, 'ecr:DescribeImages', input), [
    'ImageNotFoundException',
    'RepositoryNotFoundException',
  ])
  if (looked.found === 'no') return { image, absent: true }
  const [detail] = (looked.found === 'yes' && listAt(looked.value, 'imageDetails')) || []
  const digest = textAt(asObject(detail), 'imageDigest')
  if (digest !== null) return { image, digest }
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  return { image, ...look.missedBecause(`image ${quoted(image)}`, why) }
}
