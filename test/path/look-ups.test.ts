// M6, whole path: what was looked up goes to reviewers, never into an answer to the agent; it is looked up
// once per request, and a flood of invented names is no flood upstream.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { queryCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

const xml = (status: number, text: string) => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: text,
})

beforeEach(async () => {
  upstream = await startFakeUpstream()
  // There is one stack, `shop`, with one table; nothing else exists.
  upstream.script = ({ operation, request }) => {
    const form = new URLSearchParams(Buffer.from(request.body).toString())
    if (form.get('StackName') !== 'shop' && form.has('StackName')) {
      return xml(
        400,
        '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error></ErrorResponse>',
      )
    }
    switch (operation) {
      case 'DescribeStacks':
        return xml(
          200,
          '<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1</StackId><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>',
        )
      case 'ListStackResources':
        return xml(
          200,
          '<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member><ResourceType>AWS::EC2::Subnet</ResourceType><LogicalResourceId>Net</LogicalResourceId><PhysicalResourceId>subnet-7</PhysicalResourceId></member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>',
        )
      case 'GetTemplate':
        return xml(
          200,
          '<GetTemplateResponse><GetTemplateResult><TemplateBody>{"Resources":{}}</TemplateBody></GetTemplateResult></GetTemplateResponse>',
        )
      default:
        return xml(200, '<DeleteStackResponse/>')
    }
  }
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.checkLedger()
  await gate.stop()
  await upstream.close()
})

const seen = (operation: string) =>
  upstream.seen.filter((one) => one.operation === operation).length
const deleteStack = (name: string) =>
  rawCall(
    keys,
    queryCall('cloudformation', { Action: 'DeleteStack', Version: '2010-05-15', StackName: name }),
  )

test('M6 the agent reads the same words about a stack that exists and one that does not', async () => {
  const there = await deleteStack('shop')
  const absent = await deleteStack('invented')
  const words = (body: string) =>
    body.replaceAll(/r-[0-9a-z]{26}/g, 'ID').replaceAll(/\d\d:\d\d UTC/g, 'TIME')
  expect(words(there.body).replaceAll(/<RequestId>.*?<\/RequestId>/g, '')).toBe(
    words(absent.body).replaceAll(/<RequestId>.*?<\/RequestId>/g, ''),
  )
  expect(there.status).toBe(absent.status)
  expect(there.body).not.toContain('subnet-7')
  // The reviewer reads what was found.
  const documentOf = async (body: string) => {
    const id = requestIdIn(new Error(body))
    const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
    return JSON.parse(document) as { summary: string; evidence: { findings: { name: string }[] } }
  }
  expect((await documentOf(there.body)).evidence.findings[0]?.name).toBe('subnet-7')
  expect((await documentOf(absent.body)).summary).toContain('There is no stack `invented`')
})

test('M6 a re-run that waits with its request looks nothing up again', async () => {
  const first = await deleteStack('shop')
  expect(seen('DescribeStacks')).toBe(1)
  const again = await deleteStack('shop')
  expect(requestIdIn(new Error(again.body))).toBe(requestIdIn(new Error(first.body)))
  expect(seen('DescribeStacks')).toBe(1)
  // Right before the effect it is looked at once more, anew.
  await gate.review('bob', requestIdIn(new Error(first.body)))
  await deleteStack('shop')
  expect(seen('DescribeStacks')).toBe(2)
  expect(seen('DeleteStack')).toBe(1)
})

test('M6 a flood of invented names through the gate ends at the budget of its session', async () => {
  const names = Array.from({ length: 600 }, (_, n) => `invented-${n}`)
  for (let at = 0; at < names.length; at += 20) {
    await Promise.all(names.slice(at, at + 20).map(deleteStack))
  }
  const looked = seen('DescribeStacks') + seen('ListStackResources') + seen('GetTemplate')
  expect(seen('DescribeStacks')).toBeLessThan(600)
  expect(looked).toBeGreaterThan(0)
  // 1,200 at once, and what comes back while the test runs.
  expect(looked).toBeLessThan(1_300)
  expect(seen('DeleteStack')).toBe(0)
})
