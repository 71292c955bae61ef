// H10: a batch that took effect in part says which members did not, by name or place, never by value.
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '@seconder/aws/call'
import { expect, test } from 'vitest'
import { FAILED_NAME_CHARS_MAX, FAILED_NAMED_MAX, membersWithout } from './partial.ts'

const JSON_TYPE: [string, string][] = [['content-type', 'application/x-amz-json-1.0']]

function of(operation: string, answer: unknown, parameters: JsonObject = {}) {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer)
  return membersWithout({ operation, parameters }, JSON_TYPE, Buffer.from(body))
}

test('H10 writes that DynamoDB did not process are told by their place, their items never', () => {
  const put = (id: string) => ({ PutRequest: { Item: { id: { S: id }, pin: { S: 'hunter2' } } } })
  const parameters = { RequestItems: { orders: [put('a'), put('b'), put('c')], carts: [put('b')] } }
  const missing = of(
    'dynamodb:BatchWriteItem',
    { UnprocessedItems: { orders: [put('b')], carts: [put('b'), put('new')] } },
    parameters,
  )
  expect(missing).toEqual({
    detail: 'some items were not processed',
    failed: ['orders: number 2', 'carts: number 1', 'carts: a write'],
    failedCount: 3,
  })
  expect(JSON.stringify(missing)).not.toContain('hunter2')
  expect(of('dynamodb:BatchWriteItem', { UnprocessedItems: {} }, parameters)).toBeNull()
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html, an example of the page. */
const DELETE_RESULT = (errors: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>sample1.txt</Key></Deleted>${errors}</DeleteResult>`

test('H10 objects that were not deleted are named', () => {
  const error = (key: string) =>
    `<Error><Key>${key}</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`
  expect(of('s3:DeleteObjects', DELETE_RESULT(error('a.txt') + error('b.txt')))).toEqual({
    detail: 'some objects were not deleted',
    failed: ['a.txt', 'b.txt'],
    failedCount: 2,
  })
  expect(of('s3:DeleteObjects', DELETE_RESULT(''))).toBeNull()
})

test.each([
  [
    'sqs:SendMessageBatch',
    { Successful: [{ Id: 'x' }], Failed: [{ Id: 'y', Message: 'SECRET' }] },
    ['y'],
  ],
  [
    'sqs:DeleteMessageBatch',
    '<DeleteMessageBatchResponse><DeleteMessageBatchResult><BatchResultErrorEntry><Id>m2</Id></BatchResultErrorEntry></DeleteMessageBatchResult></DeleteMessageBatchResponse>',
    ['m2'],
  ],
  [
    'sns:PublishBatch',
    '<PublishBatchResponse><PublishBatchResult><Failed><member><Id>n1</Id></member></Failed><Successful/></PublishBatchResult></PublishBatchResponse>',
    ['n1'],
  ],
  [
    'kinesis:PutRecords',
    { FailedRecordCount: 1, Records: [{ SequenceNumber: '1' }, { ErrorCode: 'InternalFailure' }] },
    ['number 2'],
  ],
  [
    'firehose:PutRecordBatch',
    { RequestResponses: [{ ErrorCode: 'ServiceUnavailableException' }] },
    ['number 1'],
  ],
  [
    'events:PutEvents',
    { FailedEntryCount: 1, Entries: [{ EventId: 'e' }, { ErrorCode: 'ThrottlingException' }] },
    ['number 2'],
  ],
  [
    'events:RemoveTargets',
    { FailedEntryCount: 1, FailedEntries: [{ TargetId: 't', ErrorCode: 'x' }] },
    ['t'],
  ],
  ['ecs:RunTask', { tasks: [], failures: [{ reason: 'RESOURCE:MEMORY' }] }, ['RESOURCE:MEMORY']],
  [
    'ecr:BatchDeleteImage',
    { failures: [{ imageId: { imageDigest: 'sha256:a' } }, { imageId: {} }] },
    ['sha256:a', 'number 2'],
  ],
  ['ssm:DeleteParameters', { DeletedParameters: ['a'], InvalidParameters: ['b'] }, ['b']],
  [
    'tag:TagResources',
    { FailedResourcesMap: { 'arn:aws:s3:::b': { StatusCode: 400 } } },
    ['arn:aws:s3:::b'],
  ],
  [
    'dynamodb:BatchExecuteStatement',
    { Responses: [{}, { Error: { Code: 'ConditionalCheckFailed' } }] },
    ['number 2'],
  ],
])('H10 %s says what did not take effect', (operation, answer, failed) => {
  expect(of(operation, answer)?.failed).toEqual(failed)
  expect(JSON.stringify(of(operation, answer))).not.toContain('SECRET')
})

test('H10 a batch that took effect whole has nothing missing, and what is no batch is not read', () => {
  expect(of('sqs:SendMessageBatch', { Successful: [{ Id: 'x' }], Failed: [] })).toBeNull()
  expect(
    of('kinesis:PutRecords', { FailedRecordCount: 0, Records: [{ SequenceNumber: '1' }] }),
  ).toBeNull()
  expect(of('tag:TagResources', { FailedResourcesMap: {} })).toBeNull()
  expect(of('sqs:SendMessage', 'no json at all')).toBeNull()
  expect(of('constructor', {})).toBeNull()
})

test('H10 a function that ended in an error did not simply succeed', () => {
  const headers: [string, string][] = [['X-Amz-Function-Error', 'Unhandled']]
  const action = { operation: 'lambda:Invoke', parameters: {} }
  expect(membersWithout(action, headers, Buffer.from('{"errorMessage":"SECRET"}'))).toEqual({
    detail: 'the function was called and ended in an error',
    failed: [],
    failedCount: 0,
  })
  expect(membersWithout(action, [], Buffer.from('{}'))).toBeNull()
})

test('H10 an answer that cannot be read is no success of all', () => {
  expect(of('sqs:SendMessageBatch', '{')).toMatchObject({
    detail: 'what took effect could not be read from the answer',
  })
  const action = { operation: 'sqs:SendMessageBatch', parameters: {} }
  const answer = Buffer.from(JSON.stringify({ Failed: [{ Id: 'y' }] }))
  const coded = (coding: string, body: Buffer) =>
    membersWithout(action, [...JSON_TYPE, ['Content-Encoding', coding]], body)
  expect(coded('gzip', gzipSync(answer))?.failed).toEqual(['y'])
  expect(coded('gzip', answer)?.failed).toEqual([])
  expect(coded('br', answer)?.detail).toContain('could not be read')
})

test('names are kept up to the limits and counted past them', () => {
  const many = (count: number) => ({
    Failed: Array.from({ length: count }, (_, n) => ({ Id: `${n}-${'x'.repeat(300)}` })),
  })
  const at = of('sqs:SendMessageBatch', many(FAILED_NAMED_MAX))
  expect(at?.failed).toHaveLength(FAILED_NAMED_MAX)
  const past = of('sqs:SendMessageBatch', many(FAILED_NAMED_MAX + 1))
  expect(past?.failed).toHaveLength(FAILED_NAMED_MAX)
  expect(past?.failedCount).toBe(FAILED_NAMED_MAX + 1)
  expect(past?.failed[0]).toHaveLength(FAILED_NAME_CHARS_MAX)
})
