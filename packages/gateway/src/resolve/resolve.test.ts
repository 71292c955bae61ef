import { expect, test } from 'vitest'
import { NO_EVIDENCE } from './evidence.ts'
import { bindingRead, resolve } from './resolve.ts'
import { awsAction, scriptedUpstream } from './scripted-upstream.fixture.ts'

test('a read is not looked up at all', async () => {
  const upstream = scriptedUpstream({})
  const read = awsAction('dynamodb:DescribeTable', { TableName: 'orders' }, ['read'])
  expect(await resolve(read, upstream)).toBe(NO_EVIDENCE)
  const list = awsAction('s3:ListBuckets', {}, ['list', 'read'])
  expect(await resolve(list, upstream)).toBe(NO_EVIDENCE)
  expect(upstream.asked).toEqual([])
})

test('a service without a look-up says so for what is no read', async () => {
  const upstream = scriptedUpstream({})
  const action = awsAction('mq:DeleteBroker', { BrokerId: 'b' }, ['destroy'])
  const evidence = await resolve(action, upstream)
  expect(evidence).toEqual({
    ...NO_EVIDENCE,
    couldNotLook: ['no look-up exists for mq yet'],
  })
  expect(bindingRead(evidence)).toBe(true)
  expect(upstream.asked).toEqual([])
})

test('an operation without a look-up in a service that has others is named', async () => {
  const action = awsAction('dynamodb:DeleteGlobalTable', { Name: 'x' }, ['destroy'])
  expect((await resolve(action, scriptedUpstream({}))).couldNotLook).toEqual([
    'no look-up exists for dynamodb:DeleteGlobalTable yet',
  ])
  const inherited = awsAction('constructor', {}, ['unknown'])
  expect((await resolve(inherited, scriptedUpstream({}))).binding).toEqual({})
})

test('only what came in by the wire is looked up by its operation', async () => {
  const upstream = scriptedUpstream({})
  const wire = awsAction('dynamodb:DeleteTable', { TableName: 'orders' }, ['destroy'])
  const evidence = await resolve({ ...wire, door: 'shell' }, upstream)
  expect(evidence.couldNotLook).toEqual(['no look-up exists for dynamodb yet'])
  expect(upstream.asked).toEqual([])
  await resolve(wire, upstream)
  expect(upstream.asked).not.toEqual([])
})

test('an action that reads and writes is looked up', async () => {
  const upstream = scriptedUpstream({})
  const both = awsAction('dynamodb:DeleteTable', { TableName: 'orders' }, ['read', 'write'])
  await resolve(both, upstream)
  expect(upstream.asked).not.toEqual([])
})

test('every call goes to the region of the action', async () => {
  const upstream = scriptedUpstream({})
  const action = awsAction('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])
  await resolve({ ...action, region: 'cn-north-1' }, upstream)
  expect(new Set(upstream.calls.map((call) => call.region))).toEqual(new Set(['cn-north-1']))
})
