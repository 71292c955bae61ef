// What CloudTrail would have logged of the lab, in CloudTrail's own form: management events of every caller that
// proved who it is, those that CloudFormation made for it, and no data events, as a trail has by default.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
import { randomUUID } from 'node:crypto'
import type { Json, JsonObject } from '@seconder/aws/call'
import type { CloudRequest } from './cloud-request.ts'
import { ACCOUNT, type Principal, roleArn, roleId, sessionArn } from './principal.ts'
import type { ResourceDeed } from './stack-worker.ts'

/** Events kept; the oldest go first. */
export const TRAIL_EVENTS_MAX = 10_000
const ACTORS_MAX = 1_000
const USER_AGENT_MAX = 1_024

/** What was asked and how it was answered. */
export interface TrailCall {
  readonly request: CloudRequest
  readonly service: string
  readonly operation: string
  /** Of a refusal; null where it was done. */
  readonly error: { readonly code: string; readonly message: string } | null
}

/** Of a stack: what CloudFormation then does is done under the rights of whoever asked. */
const OF_A_STACK = new Set(['CreateStack', 'DeleteStack', 'ExecuteChangeSet', 'UpdateStack'])

/** Members of a request that the lab's trail shows; no template, no item, no policy. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  cloudformation: ['StackName', 'ChangeSetName', 'ChangeSetType', 'LogicalResourceId'],
  dynamodb: ['TableName', 'BackupArn', 'BackupName', 'ResourceArn', 'TargetTableName'],
  sts: ['RoleArn', 'RoleSessionName', 'SourceIdentity', 'DurationSeconds'],
}

/** Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html (data plane) */
const ITEM_OPERATIONS =
  /^(Batch(ExecuteStatement|GetItem|WriteItem)|(Delete|Get|Put|Update)Item|Execute(Statement|Transaction)|Query|Scan|Transact(Get|Write)Items)$/
/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html (bucket level) */
const BUCKET_OPERATIONS =
  /^(CreateBucket|DeleteBucket|ListBuckets|(Get|Put)Bucket\w+|GetObjectLockConfiguration)$/

const READS = /^(Describe|Get|List|Head|Validate)/

/** The calls of a resource type that CloudFormation makes. */
const DEEDS: Readonly<
  Record<string, { readonly service: string; readonly noun: string; readonly member: string }>
> = {
  'AWS::DynamoDB::Table': { service: 'dynamodb', noun: 'Table', member: 'tableName' },
  'AWS::IAM::Role': { service: 'iam', noun: 'Role', member: 'roleName' },
  'AWS::S3::Bucket': { service: 's3', noun: 'Bucket', member: 'bucketName' },
}

export class Trail {
  readonly events: JsonObject[] = []
  /** Who asked last for a change of each stack. */
  readonly #actors = new Map<string, Principal>()

  call({ request, service, operation, error }: TrailCall): void {
    const parameters = parametersOf(service, request)
    if (service === 'cloudformation' && OF_A_STACK.has(operation)) {
      this.#remember(`${request.region} ${stackName(parameters['stackName'])}`, request.principal)
    }
    if (!isManagement(service, operation)) return
    this.#add({
      ...this.#frame(service, operation, request.region, request.nowMs),
      userIdentity: identityOf(request.principal),
      sourceIPAddress: '127.0.0.1',
      userAgent: (request.headers.get('user-agent') ?? '').slice(0, USER_AGENT_MAX),
      requestParameters: Object.keys(parameters).length === 0 ? null : parameters,
      requestID: request.id,
      ...(error !== null && { errorCode: error.code, errorMessage: error.message }),
    })
  }

  /** A step of CloudFormation's own, under the rights of whoever asked for it. */
  deed({ verb, type, physicalId, stackName: stack, region, atMs }: ResourceDeed): void {
    const row = DEEDS[type]
    const actor = this.#actors.get(`${region} ${stack}`)
    if (row === undefined || actor === undefined) return
    this.#add({
      ...this.#frame(row.service, `${verb}${row.noun}`, region, atMs),
      userIdentity: { ...identityOf(actor), invokedBy: 'cloudformation.amazonaws.com' },
      sourceIPAddress: 'cloudformation.amazonaws.com',
      userAgent: 'cloudformation.amazonaws.com',
      requestParameters: { [row.member]: physicalId },
      requestID: randomUUID(),
    })
  }

  #frame(service: string, operation: string, region: string, atMs: number): JsonObject {
    return {
      eventVersion: '1.11',
      eventTime: new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      eventSource: `${service}.amazonaws.com`,
      eventName: operation,
      awsRegion: region,
      responseElements: null,
      eventID: randomUUID(),
      readOnly: READS.test(operation),
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: 'Management',
    }
  }

  #remember(key: string, actor: Principal): void {
    this.#actors.delete(key)
    this.#actors.set(key, actor)
    const [oldest] = this.#actors.keys()
    if (this.#actors.size > ACTORS_MAX && oldest !== undefined) this.#actors.delete(oldest)
  }

  #add(event: JsonObject): void {
    if (this.events.length >= TRAIL_EVENTS_MAX) this.events.shift()
    this.events.push(event)
  }
}

function isManagement(service: string, operation: string): boolean {
  if (operation === 'unknown') return false
  if (service === 'dynamodb') return !ITEM_OPERATIONS.test(operation)
  return service !== 's3' || BUCKET_OPERATIONS.test(operation)
}

function identityOf(principal: Principal): JsonObject {
  const { role, sessionName, credentials, sourceIdentity } = principal
  return {
    type: 'AssumedRole',
    principalId: `${roleId(role.name)}:${sessionName}`,
    arn: sessionArn(principal),
    accountId: ACCOUNT,
    accessKeyId: credentials.accessKeyId,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: roleId(role.name),
        arn: roleArn(role.name),
        accountId: ACCOUNT,
        userName: role.name,
      },
      attributes: { mfaAuthenticated: 'false' },
      ...(sourceIdentity !== undefined && { sourceIdentity }),
    },
  }
}

function parametersOf(service: string, request: CloudRequest): JsonObject {
  if (service === 's3') {
    const bucket = request.path.split('/')[1] ?? ''
    return bucket === '' ? {} : { bucketName: bucket, Host: request.host }
  }
  const values = valuesOf(service, request)
  const shown = (SHOWN[service] ?? []).flatMap((name): [string, Json][] => {
    const value = values[name]
    return typeof value === 'string' ? [[lowerFirst(name), value]] : []
  })
  return Object.fromEntries(shown)
}

/** Members of a form or a JSON body; what is neither has none. */
function valuesOf(service: string, request: CloudRequest): JsonObject {
  const text = Buffer.from(request.content).toString('utf8')
  if (service !== 'dynamodb')
    return Object.fromEntries([...request.query, ...new URLSearchParams(text)])
  try {
    const value = JSON.parse(text) as Json
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as JsonObject)
      : {}
  } catch {
    return {} // the service has refused it; the trail then shows no parameters
  }
}

/** A name, or the name within an ARN. */
function stackName(nameOrArn: Json | undefined): string {
  const text = typeof nameOrArn === 'string' ? nameOrArn : ''
  return /:stack\/([^/]+)/.exec(text)?.[1] ?? text
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
