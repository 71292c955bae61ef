import { afterEach, expect, test, vi } from 'vitest'
import { describedTable, NO_BACKUPS, RECOVERY_OFF } from './aws-answers.fixture.ts'
import { bindingRead } from './binding.ts'
import { Look, MAX_ANSWER_BYTES, MAX_CONCURRENT, MAX_LOOKUPS, MAX_SENTENCES } from './look.ts'
import { dynamodbCall, s3Call } from './read-call.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  dynamodbError,
  headAnswer,
  jsonAnswer,
  s3Error,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'
import type { Upstream, UpstreamAnswer } from './upstream.ts'

const DESCRIBE = dynamodbCall('eu-west-1', 'DescribeTable', { TableName: 'orders' })
const UNSAVED = {
  'dynamodb:DescribeTable': describedTable({ name: 'orders', items: 3, bytes: 30 }),
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
}
const DELETE = awsAction('dynamodb:DeleteTable', { TableName: 'orders' }, ['destroy'])

afterEach(() => {
  vi.useRealTimers()
})

function always(answer: UpstreamAnswer): Upstream {
  return { send: () => Promise.resolve(answer) }
}

test('an upstream that never answers ends at the deadline as not looked, never as an error', async () => {
  vi.useFakeTimers()
  const upstream = scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeTable': 'silence' })
  const pending = resolve(DELETE, upstream, { deadlineMs: 3000 })
  await vi.advanceTimersByTimeAsync(3000)
  const evidence = await pending
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.binding).toEqual({ table: { name: 'orders', unread: 'no answer' } })
  expect(evidence.couldNotLook).toEqual([
    'could not read table `orders`: there was no answer in time',
  ])
  // What the other look-ups learned in time stays learned.
  expect(evidence.findings[0]?.lastBackup).toBe('none')
})

test('one throttling answer stops every look-up that has not been sent', async () => {
  for (const answer of [
    dynamodbError('ThrottlingException'),
    dynamodbError('ProvisionedThroughputExceededException'),
    jsonAnswer('{}', 429),
    headAnswer({}, 503),
  ]) {
    let sent = 0
    const upstream: Upstream = {
      send: () => {
        sent += 1
        return Promise.resolve(answer)
      },
    }
    const look = new Look(upstream, 1000)
    expect(await look.json(DESCRIBE, [])).toEqual({ found: 'unknown', why: 'throttled' })
    expect(await look.json(DESCRIBE, [])).toEqual({ found: 'unknown', why: 'throttled' })
    look.close()
    expect(sent).toBe(1)
  }
})

test('an answer that merely refuses does not stop the others', async () => {
  const look = new Look(always(dynamodbError('ValidationException')), 1000)
  expect(await look.json(DESCRIBE, [])).toEqual({ found: 'unknown', why: 'refused' })
  expect(await look.json(DESCRIBE, ['ValidationException'])).toEqual({ found: 'no' })
  look.close()
})

test('an upstream that rejects is no answer, and its words stay where they are', async () => {
  const upstream: Upstream = {
    send: () => Promise.reject(new Error('connect ECONNREFUSED SECRET-WORDS')),
  }
  const evidence = await resolve(DELETE, upstream, { deadlineMs: 1000 })
  expect(evidence.couldNotLook).toContain(
    'could not read table `orders`: the upstream could not be reached',
  )
  expect(JSON.stringify(evidence)).not.toContain('SECRET')
})

test('an answer that is not one reading is unreadable', async () => {
  for (const body of ['{"Table": {}, "Table": {}}', '{"Table"', '[]', '']) {
    const look = new Look(always(jsonAnswer(body)), 1000)
    expect(await look.json(DESCRIBE, [])).toEqual({ found: 'unknown', why: 'unreadable' })
    look.close()
  }
})

test('an answer is read at its limit of bytes and not one past it', async () => {
  const sized = (bytes: number) => always(jsonAnswer(`{"a":"${'x'.repeat(bytes - 8)}"}`))
  const at = new Look(sized(MAX_ANSWER_BYTES), 1000)
  expect((await at.json(DESCRIBE, [])).found).toBe('yes')
  at.close()
  const past = new Look(sized(MAX_ANSWER_BYTES + 1), 1000)
  expect(await past.json(DESCRIBE, [])).toEqual({ found: 'unknown', why: 'unreadable' })
  past.close()
})

test('M6: one action sends as many look-ups as its budget allows and not one more', async () => {
  let sent = 0
  const upstream: Upstream = {
    send: () => {
      sent += 1
      return Promise.resolve(jsonAnswer({}))
    },
  }
  const look = new Look(upstream, 5000)
  const answers = await Promise.all(
    Array.from({ length: MAX_LOOKUPS + 1 }, () => look.json(DESCRIBE, [])),
  )
  look.close()
  expect(sent).toBe(MAX_LOOKUPS)
  expect(answers.filter((answer) => answer.found === 'yes')).toHaveLength(MAX_LOOKUPS)
  expect(answers.at(-1)).toEqual({ found: 'unknown', why: 'budget' })
})

test('at most the named number of look-ups is under way at once', async () => {
  let underWay = 0
  let most = 0
  const upstream: Upstream = {
    send: async () => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise((resume) => setImmediate(resume))
      underWay -= 1
      return jsonAnswer({})
    },
  }
  const look = new Look(upstream, 5000)
  await Promise.all(Array.from({ length: 40 }, () => look.json(DESCRIBE, [])))
  look.close()
  expect(most).toBe(MAX_CONCURRENT)
})

test('the sentences are bounded, and one says that there are more', () => {
  const look = new Look(always(jsonAnswer({})), 1000)
  for (let at = 0; at < MAX_SENTENCES; at += 1) look.missed(`sentence ${at}`)
  expect(look.sentences()).toHaveLength(MAX_SENTENCES)
  look.missed('one past the limit')
  look.missed('two past the limit')
  look.close()
  expect(look.sentences()).toHaveLength(MAX_SENTENCES + 1)
  expect(look.sentences()).toContain('more could not be looked up than is listed here')
})

test('a HEAD that is 404 says absent, one that is 403 says nothing', async () => {
  const call = s3Call('eu-west-1', 'HEAD', 'reports', 'august.csv', [])
  const absent = new Look(always(headAnswer({}, 404)), 1000)
  expect(await absent.head(call)).toEqual({ found: 'no' })
  absent.close()
  const denied = new Look(always(headAnswer({}, 403)), 1000)
  expect(await denied.head(call)).toEqual({ found: 'unknown', why: 'access denied' })
  denied.close()
})

test('an XML error is told by its code; another code of the same status is not', async () => {
  const call = s3Call('eu-west-1', 'GET', 'reports', null, [['versioning', '']])
  const look = new Look(always(s3Error('NoSuchBucket', 404)), 1000)
  expect(await look.xml(call, ['NoSuchBucket'])).toEqual({ found: 'no' })
  expect(await look.xml(call, ['NoSuchKey'])).toEqual({ found: 'unknown', why: 'refused' })
  look.close()
})

test('a call that is no read is refused before anything is sent', async () => {
  const upstream = scriptedUpstream({})
  const look = new Look(upstream, 1000)
  const write = {
    ...DESCRIBE,
    headers: [['x-amz-target', 'DynamoDB_20120810.DeleteTable']] as const,
  }
  await expect(look.json(write, [])).rejects.toMatchObject({ code: 'not_a_read' })
  look.close()
  expect(upstream.asked).toEqual([])
})
