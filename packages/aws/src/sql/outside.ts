// Names what a statement reaches outside of its database: places in S3 it reads from or writes to, and roles
// it runs under. Found by their form wherever they stand, so that a clause this code does not know hides
// none. Pure.

import type { CallResource, JsonObject } from '../call.ts'
import { valuesAt } from '../describe/condition.ts'
import type { Surroundings } from '../describe/normalise.ts'

/** Aurora MySQL names the region in the scheme. Sources:
 * https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html;
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Integrating.SaveIntoS3.html */
const S3_PLACE =
  /\bs3[an]?(?:-[a-z0-9-]{1,40})?:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(\/[^\s'"`*?\\]*)?/gi
const ROLE = /\barn:aws[a-z-]{0,20}:iam::\d{12}:role\/[A-Za-z0-9+=,.@_/-]+/g
/** Words with which a statement takes rights that are not the caller's. Source: the first of S3_PLACE, and
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html */
const TAKES_RIGHTS = /\b(?:iam_role|credentials|access_key_id|aws_iam_role)\b/i

/** The longest text looked through: a query of Athena, the longest of all.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
const TEXT_CHARS_MAX = 262_144

/** Names found in one call; more are one name that is not certain. */
const NAMES_MAX = 100

export interface Outside {
  readonly resources: readonly CallResource[]
  /** Whether the call itself says where its results are written. */
  readonly writes: boolean
}

/** What `texts`, the statements of the call, and its own members name. */
export function outsideNames(
  texts: readonly string[],
  parameters: JsonObject,
  { partition }: Surroundings,
): Outside {
  // Athena writes the answer there. Source:
  // https://docs.aws.amazon.com/athena/latest/APIReference/API_ResultConfiguration.html
  const output = valuesAt(parameters, 'ResultConfiguration.OutputLocation')
  const found = new Map<string, CallResource>()
  if (texts.some((text) => text.length > TEXT_CHARS_MAX)) {
    return { resources: [{ arn: '*', type: '*', resolved: false }], writes: output.length > 0 }
  }
  for (const text of [...texts, ...output]) {
    if (typeof text !== 'string') continue
    for (const [, bucket = '', prefix = '/'] of text.matchAll(S3_PLACE)) {
      const arn = `arn:${partition}:s3:::${bucket.toLowerCase()}${prefix}*`
      found.set(arn, { arn, type: 'object', resolved: false })
    }
  }
  if (output.some((text) => typeof text !== 'string' || bucketsIn(text).length === 0)) {
    found.set('* object', { arn: '*', type: 'object', resolved: false })
  }
  for (const text of texts) {
    const roles = [...text.matchAll(ROLE)].map(([arn]) => arn)
    for (const arn of roles) found.set(arn, { arn, type: 'role', resolved: true })
    if (TAKES_RIGHTS.test(text) && roles.length === 0) {
      found.set('* role', { arn: '*', type: 'role', resolved: false })
    }
  }
  const all = [...found.values()]
  const resources =
    all.length > NAMES_MAX ? [{ arn: '*', type: '*', resolved: false } as const] : all
  return { resources, writes: output.length > 0 }
}

/** The buckets that a text names. */
export function bucketsIn(text: string): string[] {
  return [...text.slice(0, TEXT_CHARS_MAX).matchAll(S3_PLACE)].map(([, bucket = '']) =>
    bucket.toLowerCase(),
  )
}

const ACCOUNT_IN_ARN = /\barn:aws[a-z-]{0,20}:[a-z0-9-]{1,63}:[a-z0-9-]{0,32}:(\d{12}):/gi

/** The accounts of the ARNs that a text names; `?` where it is too long to be looked through. */
export function accountsIn(text: string): string[] {
  if (text.length > TEXT_CHARS_MAX) return ['?']
  return [...new Set([...text.matchAll(ACCOUNT_IN_ARN)].map(([, account = '?']) => account))]
}
