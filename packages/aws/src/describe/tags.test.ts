// Tags given on creation and tags given later: which actions and which resources they are.
import { expect, test } from 'vitest'
import type { Call } from '../call.ts'
import { describeCall } from '../describe-call.ts'

const ACCOUNT = '123456789012'
const TABLE = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`

function call(service: string, target: string, input: object, version = '1.0'): Call {
  const body = new TextEncoder().encode(JSON.stringify(input))
  const headers = [
    ['content-type', `application/x-amz-json-${version}`],
    ['x-amz-target', target],
    ['host', `${service}.eu-west-1.amazonaws.com`],
  ] as const
  const request = { method: 'POST', target: '/', headers, body }
  return describeCall(request, { service, region: 'eu-west-1' }, { account: ACCOUNT })
}

const arnsOf = ({ resources }: Call) => resources.map(({ arn }) => arn)

// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
test.each([
  [
    { clusterName: 'c', tags: [{ key: 'a', value: 'b' }] },
    ['ecs:CreateCluster', 'ecs:TagResource'],
  ],
  [{ clusterName: 'c', tags: [] }, ['ecs:CreateCluster']],
  [{ clusterName: 'c' }, ['ecs:CreateCluster']],
])('a cluster created with %j needs %j', (input, actions) => {
  const created = call('ecs', 'AmazonEC2ContainerServiceV20141113.CreateCluster', input, '1.1')
  expect(created.iamActions).toEqual(actions)
  expect(arnsOf(created)).toEqual([`arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/c`])
})

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
test.each([
  [TABLE, [TABLE]],
  ['arn:aws:s3:::orders', ['*']],
  ['orders', ['*']],
])('tagging %s touches %j', (ResourceArn, arns) => {
  const tagged = call('dynamodb', 'DynamoDB_20120810.TagResource', {
    ResourceArn,
    Tags: [{ Key: 'a', Value: 'b' }],
  })
  expect([...new Set(arnsOf(tagged))]).toEqual(arns)
  expect(tagged.effects).toEqual(['tag'])
})

// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
test.each([
  ['loadbalancer/app/old/73e2d6bc24d8a067', false],
  // The IAM data lists balancers alone for AddTags; what it does not list is not left out.
  ['targetgroup/web/73e2d6bc24d8a067', true],
  ['', true],
])('a balancer tagged beside %j: open is %j', (other, isOpen) => {
  const elb = `arn:aws:elasticloadbalancing:eu-west-1:${ACCOUNT}:`
  const balancer = `${elb}loadbalancer/app/web/50dc6c495c0c9188`
  const second = other === '' ? 'arn:aws:s3:::orders' : `${elb}${other}`
  const form = new URLSearchParams({
    Action: 'AddTags',
    Version: '2015-12-01',
    'ResourceArns.member.1': balancer,
    'ResourceArns.member.2': second,
    'Tags.member.1.Key': 'a',
  })
  const headers = [['content-type', 'application/x-www-form-urlencoded']] as const
  const body = new TextEncoder().encode(form.toString())
  const scope = { service: 'elasticloadbalancing', region: 'eu-west-1' }
  const request = { method: 'POST', target: '/', headers, body }
  const arns = arnsOf(describeCall(request, scope, { account: ACCOUNT }))
  expect(arns).toContain(balancer)
  expect(arns.includes('*')).toBe(isOpen)
})
