// Turns the value of a listed member into the value of an ARN variable, by a named form. Every form
// gives nothing where the value is not exactly what the form says: an ARN is never guessed.

import { parseArn } from './arn.ts'

export interface Surroundings {
  readonly partition: string
  readonly region: string
  readonly account: string
}

type Form = (value: string, here: Surroundings) => string | undefined

/** Values that would change the shape of an ARN or widen a pattern. */
const PLAIN = /^[^\s*?:${}]+$/

const FORMS: Readonly<Record<string, Form>> = {
  /** The value itself. */
  plain: (value) => (PLAIN.test(value) ? value : undefined),
  /** As plain, but `:` may be part of it (log groups, alarm names). */
  text: (value) => (/^[^*?${}]+$/.test(value) && !value.startsWith('arn:') ? value : undefined),
  /**
   * SSM: `/app/flag` is `parameter/app/flag`, `name` is `parameter/name`; a version or label is
   * cut.
   */
  ssmParameter: (value) => {
    const [name = ''] = value.split(':')
    return PLAIN.test(name) ? name.replace(/^\//, '') : undefined
  },
  /** Secrets Manager names get a random suffix; the pattern covers exactly six more characters. */
  secretName: (value, here) => secretName(value, here),
  /** `/hostedzone/Z123` and `Z123` are both `Z123`. */
  lastSegment: (value) => {
    const last = value.slice(value.lastIndexOf('/') + 1)
    return PLAIN.test(last) ? last : undefined
  },
  /** `name`, `123456789012:function:name`, with or without `:qualifier`, of this account. */
  lambdaFunction: (value, here) => lambdaFunction(value, here),
  /** A key id; an alias or a key elsewhere is not known here. */
  kmsKey: (value) => (/^(?:mrk-)?[0-9a-f-]{32,}$/i.test(value) ? value : undefined),
  /** `alias/name`. */
  kmsAlias: (value) => {
    const name = /^alias\/([\w/-]+)$/.exec(value)
    return name?.[1]
  },
  /** The name in `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, of this account. */
  queueUrl: (value, here) => {
    const match = /^https?:\/\/[^/?#]+\/(\d{12})\/([\w.-]+)$/.exec(value)
    return match?.[1] === here.account ? match[2] : undefined
  },
  /** ECS: a cluster's short name. */
  clusterName: (value) => (/^[\w-]+$/.test(value) ? value : undefined),
  /** `name` or `name:revision`. */
  beforeColon: (value) => {
    const [name = ''] = value.split(':')
    return PLAIN.test(name) ? name : undefined
  },
  afterColon: (value) => {
    const revision = value.split(':')[1]
    return revision !== undefined && /^\d+$/.test(revision) ? revision : undefined
  },
  /** Names that AWS stores in lower case. */
  lower: (value) => (PLAIN.test(value) ? value.toLowerCase() : undefined),
  /** The last name in an ARN of this account and region, or the name itself. */
  nameInArn: (value, here) => {
    if (!value.startsWith('arn:')) return PLAIN.test(value) ? value : undefined
    const arn = parseArn(value)
    if (arn?.region !== here.region || arn.account !== here.account) return undefined
    return arn.resource.slice(arn.resource.lastIndexOf('/') + 1)
  },
  /** A layer's name; `ARN` forms are taken whole. */
  lambdaLayer: (value) => (/^[A-Za-z0-9-_]+$/.test(value) ? value : undefined),
  /** `/app` reads everything under `app/`. */
  ssmPath: (value) => {
    const name = value.replace(/^\/|\/$/g, '')
    if (name === '') return '*'
    return PLAIN.test(name) ? `${name}/*` : undefined
  },
  ec2Instance: (value) => (/^i-[0-9a-f]{8,17}$/.test(value) ? value : undefined),
  patchBaseline: (value) => (/^pb-[0-9a-f]+$/.test(value) ? value : undefined),
  efsId: (value) => (/^fs(?:ap|mt)?-[0-9a-f]+$/.test(value) ? value : undefined),
  wafScope: (value) =>
    value === 'REGIONAL' ? 'regional' : value === 'CLOUDFRONT' ? 'global' : undefined,
  /**
   * `i-0abc` is `instance/i-0abc`, for ids whose ARN has the account; image and snapshot have none.
   */
  ec2Path: (value) => ec2Path(value),
  /** A bucket name; an access point alias or ARN is another resource than a bucket. */
  bucketName: (value) =>
    /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(value) && !/(?:-s3alias|--ol-s3)$/.test(value)
      ? value
      : undefined,
  /** `/bucket/key?versionId=v`, percent-encoded. Source: API_CopyObject, x-amz-copy-source. */
  copySourceBucket: (value) => copySource(value)?.bucket,
  copySourceKey: (value) => copySource(value)?.key,
  /** `i-0abc...`, `vpc-...`: ids of EC2 resources. */
  ec2Id: (value) =>
    /^[a-z]{1,12}(?:-[a-z]{1,12})?-[0-9a-f]{8,17}$/.test(value) ? value : undefined,
  /** An S3 key keeps every character; a pattern character in it makes the ARN uncertain. */
  objectKey: (value) => (/[*?$]/.test(value) ? undefined : value),
}

/** Names of the forms, for the build to check the tables with. */
export const FORM_NAMES: readonly string[] = Object.keys(FORMS)

/** The ARN variable that `value` means under `form`, or nothing. */
export function normalise(form: string, value: string, here: Surroundings): string | undefined {
  return FORMS[form]?.(value, here)
}

/** Forms that read a full ARN themselves, instead of taking it as the whole resource. */
export function takesArns(form: string): boolean {
  return form === 'nameInArn' || form === 'lambdaFunction' || form === 'secretName'
}

/** An ARN may be sent without its suffix; then, as for a name, the suffix is not known. */
function secretName(value: string, here: Surroundings): string | undefined {
  if (!value.startsWith('arn:')) return PLAIN.test(value) ? `${value}-??????` : undefined
  const arn = parseArn(value)
  const name = arn?.resource.startsWith('secret:') ? arn.resource.slice(7) : undefined
  if (name === undefined || arn?.region !== here.region || arn.account !== here.account) {
    return undefined
  }
  return /-[A-Za-z0-9]{6}$/.test(name) ? name : `${name}-??????`
}

function lambdaFunction(value: string, here: Surroundings): string | undefined {
  const arn = /^arn:[\w-]+:lambda:([\w-]+):(\d{12}:function:.+)$/.exec(value)
  if (arn !== null) {
    return arn[1] === here.region ? lambdaFunction(arn[2] ?? '', here) : undefined
  }
  const match = /^(?:(\d{12}):)?(?:function:)?([A-Za-z0-9-_]+)(?::[A-Za-z0-9$_-]+)?$/.exec(value)
  if (match === null) return undefined
  return match[1] === undefined || match[1] === here.account ? match[2] : undefined
}

function copySource(value: string): { bucket: string; key: string } | undefined {
  const [path = ''] = value.replace(/^\//, '').split('?versionId=')
  const slash = path.indexOf('/')
  if (slash < 1 || path.includes('+') || /%(?![0-9a-fA-F]{2})/.test(path)) return undefined
  let key: string
  try {
    key = decodeURIComponent(path.slice(slash + 1))
  } catch {
    return undefined
  }
  const bucket = path.slice(0, slash)
  if (FORMS['bucketName']?.(bucket, NOWHERE) === undefined || /[*?$]/.test(key)) return undefined
  return { bucket, key }
}

const NOWHERE: Surroundings = { partition: '', region: '', account: '' }

/** Id prefixes by EC2 resource type. Source: SAR, Amazon EC2, resource types. */
const EC2_TYPES: Readonly<Record<string, string>> = {
  i: 'instance',
  vol: 'volume',
  vpc: 'vpc',
  subnet: 'subnet',
  sg: 'security-group',
  eni: 'network-interface',
  rtb: 'route-table',
  igw: 'internet-gateway',
  nat: 'natgateway',
  acl: 'network-acl',
  vpce: 'vpc-endpoint',
  pcx: 'vpc-peering-connection',
  eipalloc: 'elastic-ip',
  lt: 'launch-template',
  tgw: 'transit-gateway',
  vgw: 'vpn-gateway',
  cgw: 'customer-gateway',
  dopt: 'dhcp-options',
}

function ec2Path(value: string): string | undefined {
  const prefix = /^([a-z]+)-[0-9a-f]{8,17}$/.exec(value)?.[1]
  const type = prefix === undefined ? undefined : EC2_TYPES[prefix]
  return type === undefined ? undefined : `${type}/${value}`
}
