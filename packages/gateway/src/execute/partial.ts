// Which members of a batch did not take effect, from the answer of AWS: named as the answer names them, or
// by their place in the request. Values are never kept: an item is data, a message may hold anything.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { WireHeader } from '@seconder/aws/wire-request'
import type { Action } from '../describe/action.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { readAnswer } from './answer.ts'

/** Members that are named; the rest is counted. */
export const FAILED_NAMED_MAX = 100
/** Longest name of a member that is kept, in characters. */
export const FAILED_NAME_CHARS_MAX = 200

export interface Missing {
  readonly detail: string
  readonly failed: readonly string[]
  readonly failedCount: number
}

interface Row {
  /** Members that say what failed: a list with the member that names each, or `#` for its place. */
  readonly at: string
  /** The same in the older query protocol. */
  readonly queryAt?: string
  readonly name: string
  /** Only those of the list that have this member have failed. */
  readonly having?: string
  readonly detail: string
  readonly source: string
}

const API = 'https://docs.aws.amazon.com'

/** Batch calls that answer 200 with members that did not take effect. */
const ROWS: Readonly<Record<string, Row>> = {
  'dynamodb:BatchExecuteStatement': {
    at: 'Responses',
    name: '#',
    having: 'Error',
    detail: 'some statements did not take effect',
    source: `${API}/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html`,
  },
  'ecr:BatchDeleteImage': {
    at: 'failures',
    name: 'imageId.imageDigest',
    detail: 'some images were not deleted',
    source: `${API}/AmazonECR/latest/APIReference/API_BatchDeleteImage.html`,
  },
  'ecs:RunTask': {
    at: 'failures',
    name: 'reason',
    detail: 'some tasks were not started',
    source: `${API}/AmazonECS/latest/APIReference/API_RunTask.html`,
  },
  'ecs:StartTask': {
    at: 'failures',
    name: 'reason',
    detail: 'some tasks were not started',
    source: `${API}/AmazonECS/latest/APIReference/API_StartTask.html`,
  },
  'ecs:DeleteTaskDefinitions': {
    at: 'failures',
    name: 'arn',
    detail: 'some task definitions were not deleted',
    source: `${API}/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html`,
  },
  'ecs:UpdateContainerInstancesState': {
    at: 'failures',
    name: 'arn',
    detail: 'some machines were not changed',
    source: `${API}/AmazonECS/latest/APIReference/API_UpdateContainerInstancesState.html`,
  },
  'events:PutEvents': {
    at: 'Entries',
    name: '#',
    having: 'ErrorCode',
    detail: 'some events were not taken',
    source: `${API}/eventbridge/latest/APIReference/API_PutEvents.html`,
  },
  'events:PutTargets': {
    at: 'FailedEntries',
    name: 'TargetId',
    detail: 'some targets were not put',
    source: `${API}/eventbridge/latest/APIReference/API_PutTargets.html`,
  },
  'events:RemoveTargets': {
    at: 'FailedEntries',
    name: 'TargetId',
    detail: 'some targets were not removed',
    source: `${API}/eventbridge/latest/APIReference/API_RemoveTargets.html`,
  },
  'firehose:PutRecordBatch': {
    at: 'RequestResponses',
    name: '#',
    having: 'ErrorCode',
    detail: 'some records were not taken',
    source: `${API}/firehose/latest/APIReference/API_PutRecordBatch.html`,
  },
  'glue:BatchDeletePartition': {
    at: 'Errors',
    name: '#',
    detail: 'some partitions were not deleted',
    source: `${API}/glue/latest/webapi/API_BatchDeletePartition.html`,
  },
  'glue:BatchDeleteTable': {
    at: 'Errors',
    name: 'TableName',
    detail: 'some tables were not deleted',
    source: `${API}/glue/latest/webapi/API_BatchDeleteTable.html`,
  },
  'kinesis:PutRecords': {
    at: 'Records',
    name: '#',
    having: 'ErrorCode',
    detail: 'some records were not taken',
    source: `${API}/kinesis/latest/APIReference/API_PutRecords.html`,
  },
  's3:DeleteObjects': {
    at: 'Error',
    name: 'Key',
    detail: 'some objects were not deleted',
    source: `${API}/AmazonS3/latest/API/API_DeleteObjects.html`,
  },
  'sns:PublishBatch': {
    at: 'PublishBatchResult.Failed.member',
    name: 'Id',
    detail: 'some messages were not published',
    source: `${API}/sns/latest/api/API_PublishBatch.html`,
  },
  'sqs:ChangeMessageVisibilityBatch': {
    at: 'Failed',
    queryAt: 'ChangeMessageVisibilityBatchResult.BatchResultErrorEntry',
    name: 'Id',
    detail: 'some messages were not changed',
    source: `${API}/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html`,
  },
  'sqs:DeleteMessageBatch': {
    at: 'Failed',
    queryAt: 'DeleteMessageBatchResult.BatchResultErrorEntry',
    name: 'Id',
    detail: 'some messages were not deleted',
    source: `${API}/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html`,
  },
  'sqs:SendMessageBatch': {
    at: 'Failed',
    queryAt: 'SendMessageBatchResult.BatchResultErrorEntry',
    name: 'Id',
    detail: 'some messages were not sent',
    source: `${API}/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html`,
  },
  'ssm:DeleteParameters': {
    at: 'InvalidParameters',
    name: '',
    detail: 'some parameters were not deleted',
    source: `${API}/systems-manager/latest/APIReference/API_DeleteParameters.html`,
  },
}

/** Source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html */
const TAGGING = new Set(['tag:TagResources', 'tag:UntagResources'])

/** What did not take effect although the answer is 200; null where all did. */
export function membersWithout(
  action: Pick<Action, 'operation' | 'parameters'>,
  headers: readonly WireHeader[],
  body: Uint8Array,
): Missing | null {
  const { operation } = action
  if (operation === 'lambda:Invoke') return functionError(headers)
  const row = Object.hasOwn(ROWS, operation) ? ROWS[operation] : undefined
  const isMap = operation === 'dynamodb:BatchWriteItem' || TAGGING.has(operation)
  if (row === undefined && !isMap) return null
  const answer = readAnswer(headers, body)
  if (answer === null) return missing('what took effect could not be read from the answer', [])
  if (operation === 'dynamodb:BatchWriteItem') return unprocessed(action.parameters, answer)
  if (row === undefined) {
    const failed = Object.keys(objectOf(at(answer, 'FailedResourcesMap')[0] ?? null) ?? {})
    return failed.length === 0 ? null : missing('some resources were not tagged', failed)
  }
  const listed = [row.at, ...(row.queryAt === undefined ? [] : [row.queryAt])]
  const failed = listed
    .flatMap((path) => at(answer, path))
    .map((one, index) => ({ one, index }))
    .filter(({ one }) => row.having === undefined || at(one, row.having).length > 0)
    .map(({ one, index }) => nameOf(row, one, index))
  return failed.length === 0 ? null : missing(row.detail, failed)
}

function nameOf({ name }: Row, one: Json, index: number): string {
  const [text] = name === '#' ? [] : at(one, name)
  return typeof text === 'string' ? text : `number ${index + 1}`
}

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (X-Amz-Function-Error). */
function functionError(headers: readonly WireHeader[]): Missing | null {
  const said = headers.some(([name]) => name.toLowerCase() === 'x-amz-function-error')
  return said ? missing('the function was called and ended in an error', []) : null
}

/**
 * Places of the writes in the request that come back unprocessed; the items themselves are data.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
function unprocessed(parameters: JsonObject, answer: Json): Missing | null {
  const left = objectOf(at(answer, 'UnprocessedItems')[0] ?? null) ?? {}
  const asked = objectOf(parameters['RequestItems'] ?? null) ?? {}
  const failed = Object.entries(left).flatMap(([table, writes]) => {
    const places = listOf(asked[table]).map((write) => canonicalJson(write))
    return listOf(writes).map((write) => {
      const place = places.indexOf(canonicalJson(write))
      // Each place stands for one write, also where two are the same.
      if (place >= 0) places[place] = ''
      return place < 0 ? `${table}: a write` : `${table}: number ${place + 1}`
    })
  })
  return failed.length === 0 ? null : missing('some items were not processed', failed)
}

function missing(detail: string, failed: readonly string[]): Missing {
  const named = failed
    .slice(0, FAILED_NAMED_MAX)
    .map((name) => name.slice(0, FAILED_NAME_CHARS_MAX).toWellFormed())
  return { detail, failed: named, failedCount: failed.length }
}

/** Everything at the path, lists walked through. */
function at(value: Json, path: string): Json[] {
  let here = listOf(value)
  for (const step of path === '' ? [] : path.split('.')) {
    here = here.flatMap((one) => {
      const object = objectOf(one)
      return object !== null && Object.hasOwn(object, step) ? listOf(object[step]) : []
    })
  }
  return here
}

function listOf(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? [...value] : [value as Json]
}

function objectOf(value: Json): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as JsonObject)
    : null
}
