// The calls that a made-up account makes every day, as CloudTrail writes them: names in its own letter case,
// some parameters new each time as tokens and times are, answers of the usual size.
// Source of the forms: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

import { ACCOUNT, type CallerName, REGION } from './callers.ts'
import type { Random } from './random.ts'

export interface MadeCall {
  readonly source: string
  readonly name: string
  readonly readOnly: boolean
  readonly parameters: object | null
  readonly answer: object | null
  readonly errorCode?: string
}

type Make = (random: Random, seconds: number) => MadeCall

const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`
const TABLES = Array.from(
  { length: 40 },
  (_, at) => `shop-${['orders', 'carts', 'stock', 'users'][at % 4]}-${at >> 2}`,
)
const FUNCTIONS = Array.from(
  { length: 80 },
  (_, at) => `shop-${['api', 'mail', 'index', 'sync'][at % 4]}-${at >> 2}`,
)
const BUCKETS = Array.from({ length: 30 }, (_, at) => `example-data-${at}`)
const instance = (random: Random) =>
  `i-0${(random.below(600) + 0x1a2b3c4d5e6f).toString(16).padStart(16, '0')}`
const read = (source: string, name: string, parameters: object | null): MadeCall => {
  return { source, name, readOnly: true, parameters, answer: null }
}
const change = (
  source: string,
  name: string,
  parameters: object,
  answer: object | null = null,
): MadeCall => {
  return { source, name, readOnly: false, parameters, answer }
}

/** Looks, of which most of a trail is made. */
const LOOKS: Readonly<Record<string, Make>> = {
  describeInstances: (random) =>
    read('ec2', 'DescribeInstances', {
      maxResults: 1000,
      instancesSet: {},
      filterSet: {
        items: [{ name: 'tag:team', valueSet: { items: [{ value: `team-${random.below(12)}` }] } }],
      },
    }),
  describeOne: (random) =>
    read('ec2', 'DescribeInstances', {
      instancesSet: { items: [{ instanceId: instance(random) }] },
      filterSet: {},
    }),
  describeTable: (random) => read('dynamodb', 'DescribeTable', { tableName: random.one(TABLES) }),
  getFunction: (random) =>
    read('lambda', 'GetFunction20150331v2', {
      functionName: arn('lambda', `function:${random.one(FUNCTIONS)}`),
    }),
  getMetricData: (random, seconds) =>
    read('monitoring', 'GetMetricData', {
      startTime: seconds - 300 - random.below(60),
      endTime: seconds,
      scanBy: 'TimestampDescending',
      metricDataQueries: [{ id: `q${random.below(50)}`, returnData: true }],
    }),
  filterLogEvents: (random, seconds) =>
    read('logs', 'FilterLogEvents', {
      logGroupName: `/aws/lambda/${random.one(FUNCTIONS)}`,
      startTime: (seconds - 600) * 1000,
      endTime: seconds * 1000,
      limit: 10_000,
      nextToken: random.hex(96),
    }),
  listBuckets: () => read('s3', 'ListBuckets', { Host: `s3.${REGION}.amazonaws.com` }),
  bucketAcl: (random) => {
    const bucketName = random.one(BUCKETS)
    return read('s3', 'GetBucketAcl', {
      bucketName,
      Host: `${bucketName}.s3.${REGION}.amazonaws.com`,
      acl: '',
    })
  },
  identity: () => read('sts', 'GetCallerIdentity', null),
  describeStack: (random) =>
    read('cloudformation', 'DescribeStacks', { stackName: `service-${random.below(25)}` }),
  getRole: (random) => read('iam', 'GetRole', { roleName: `service-role-${random.below(90)}` }),
  decrypt: (random) => ({
    ...read('kms', 'Decrypt', {
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: {
        'aws:lambda:FunctionArn': arn('lambda', `function:${random.one(FUNCTIONS)}`),
      },
    }),
  }),
  describeDb: (random) =>
    read('rds', 'DescribeDBInstances', { dBInstanceIdentifier: `db-${random.below(12)}` }),
  getParameter: (random) =>
    read('ssm', 'GetParameters', {
      names: [`/shop/config/${random.below(60)}`],
      withDecryption: false,
    }),
  denied: (random) => ({
    ...read('secretsmanager', 'ListSecrets', { maxResults: 1 + random.below(20) }),
    errorCode: 'AccessDenied',
  }),
}

/** Changes of a usual week. */
const CHANGES: Readonly<Record<string, Make>> = {
  updateFunction: (random) => {
    const functionName = random.one(FUNCTIONS)
    const revisionId = random.uuid()
    return change(
      'lambda',
      'UpdateFunctionCode20150331v2',
      {
        functionName,
        s3Bucket: 'example-artifacts',
        s3Key: `${functionName}/${random.hex(40)}.zip`,
        publish: false,
        dryRun: false,
      },
      {
        functionName,
        functionArn: arn('lambda', `function:${functionName}`),
        revisionId,
        state: 'Active',
      },
    )
  },
  updateService: (random) =>
    change('ecs', 'UpdateService', {
      cluster: 'shop',
      service: `web-${random.below(8)}`,
      taskDefinition: `web:${100 + random.below(40)}`,
    }),
  createTags: (random) =>
    change(
      'ec2',
      'CreateTags',
      {
        resourcesSet: { items: [{ resourceId: instance(random) }] },
        tagSet: { items: [{ key: 'release', value: random.hex(8) }] },
      },
      { requestId: random.uuid(), _return: true },
    ),
  changeSet: (random) => {
    const stackName = `service-${random.below(25)}`
    const changeSetName = `deploy-${random.hex(8)}`
    return change('cloudformation', 'CreateChangeSet', {
      stackName,
      changeSetName,
      changeSetType: 'UPDATE',
    })
  },
  putParameter: (random) =>
    change(
      'ssm',
      'PutParameter',
      {
        name: `/shop/config/${random.below(60)}`,
        type: 'String',
        overwrite: true,
        value: 'HIDDEN_DUE_TO_SECURITY_REASONS',
      },
      { version: 1 + random.below(9) },
    ),
  startExecution: (random) =>
    change('states', 'StartExecution', {
      stateMachineArn: arn('states', `stateMachine:nightly-${random.below(6)}`),
      name: random.uuid(),
      input: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    }),
  createLogStream: (random) =>
    change('logs', 'CreateLogStream', {
      logGroupName: `/aws/lambda/${random.one(FUNCTIONS)}`,
      logStreamName: `2025/12/01/[$LATEST]${random.hex(32)}`,
    }),
  terminate: (random) =>
    change('ec2', 'TerminateInstances', {
      instancesSet: { items: [{ instanceId: instance(random) }] },
    }),
}

/** Each caller's habits: how often of 1,000 calls each of these is made; the rest is their looks. */
export const HABITS: Readonly<
  Record<
    CallerName,
    { readonly looks: readonly string[]; readonly changes: Readonly<Record<string, number>> }
  >
> = {
  agent: {
    looks: ['describeStack', 'describeTable', 'describeDb', 'filterLogEvents', 'identity'],
    changes: { updateFunction: 12, putParameter: 8 },
  },
  pipeline: {
    looks: [
      'describeInstances',
      'describeOne',
      'getRole',
      'describeDb',
      'bucketAcl',
      'describeTable',
      'getFunction',
    ],
    changes: { updateService: 10, createTags: 14, changeSet: 6 },
  },
  person: {
    looks: [
      'describeInstances',
      'listBuckets',
      'describeDb',
      'describeStack',
      'getMetricData',
      'denied',
    ],
    changes: { terminate: 3, startExecution: 3 },
  },
  shop: { looks: ['decrypt', 'getParameter', 'describeTable'], changes: { createLogStream: 30 } },
  reports: {
    looks: ['bucketAcl', 'listBuckets', 'describeDb', 'describeTable'],
    changes: { startExecution: 4 },
  },
  monitoring: {
    looks: [
      'getMetricData',
      'describeInstances',
      'describeOne',
      'filterLogEvents',
      'describeTable',
    ],
    changes: {},
  },
  cloudFormation: {
    looks: ['describeTable', 'getFunction', 'getRole'],
    changes: { updateFunction: 60, createTags: 40 },
  },
}

/** The next call of somebody. */
export function nextCall(caller: CallerName, random: Random, seconds: number): MadeCall {
  const { looks, changes } = HABITS[caller]
  let draw = random.below(1000)
  for (const [name, often] of Object.entries(changes)) {
    if (draw < often) return (CHANGES[name] as Make)(random, seconds)
    draw -= often
  }
  return (LOOKS[random.one(looks)] as Make)(random, seconds)
}
