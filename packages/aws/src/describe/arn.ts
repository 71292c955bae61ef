// ARNs: parsing, and the test whether a full ARN sent in a member is a resource of a given format.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html

export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

export const ARN_LENGTH_MAX = 2_048

/** The parts of `text`, or nothing where it is not an ARN without patterns. */
export function parseArn(text: string): Arn | undefined {
  if (!text.startsWith('arn:') || text.length > ARN_LENGTH_MAX) return undefined
  const match = /^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):([^\s*?]+)$/.exec(text)
  if (match === null) return undefined
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match
  return { partition, service, region, account, resource }
}

/**
 * The partition of a region. Source: botocore's and the SDKs' partitions.json, by region prefix.
 */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  if (region.startsWith('us-isob-')) return 'aws-iso-b'
  if (region.startsWith('us-isof-')) return 'aws-iso-f'
  if (region.startsWith('eu-isoe-')) return 'aws-iso-e'
  if (region.startsWith('us-iso-')) return 'aws-iso'
  if (region.startsWith('eusc-')) return 'aws-eusc'
  return 'aws'
}

const compiled = new Map<string, RegExp>()

/** True where `text` is an ARN of `format` (`arn:${Partition}:dynamodb:...:table/${TableName}`). */
export function fitsFormat(text: string, format: string): boolean {
  let pattern = compiled.get(format)
  if (pattern === undefined) {
    const source = format
      .split(/\$\{\w+\}|\*/)
      .map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('([^:*?\\s]+?)')
    pattern = new RegExp(`^${source}$`)
    compiled.set(format, pattern)
  }
  return parseArn(text) !== undefined && pattern.test(text)
}
