import { expect, test } from 'vitest'
import { describedStack, stackResources, template } from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { resolve } from './resolve.ts'
import { awsAction, type Script, scriptedUpstream } from './scripted-upstream.fixture.ts'
import { summarise } from './summary.ts'
import { MAX_YAML_BYTES } from './template.ts'

const DELETE = awsAction('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])
const SHOP = {
  'cloudformation:DescribeStacks': describedStack(),
  'cloudformation:ListStackResources': stackResources([
    ['A', 'AWS::IAM::Role', 'role-a'],
    ['B', 'AWS::IAM::Role', 'role-b'],
  ]),
}
const DENIED = 'could not read what the template of stack `shop` keeps when it is deleted'

const look = (body: string, more: Script = {}, action = DELETE) =>
  resolve(
    action,
    scriptedUpstream({ ...SHOP, 'cloudformation:GetTemplate': template(body), ...more }),
    { deadlineMs: 1000 },
  )
const fates = async (body: string) =>
  Object.fromEntries((await look(body)).findings.map((one) => [one.name, one.fate]))

test('what its policy retains is left behind, in JSON and in YAML; the rest goes', async () => {
  const kept = { 'role-a': 'kept', 'role-b': 'deleted' }
  const json = (policy: string) =>
    JSON.stringify({ Resources: { A: { DeletionPolicy: policy }, B: { Type: 'AWS::IAM::Role' } } })
  expect(await fates(json('Retain'))).toEqual(kept)
  expect(await fates(json('RetainExceptOnCreate'))).toEqual(kept)
  expect(await fates(json('Delete'))).toEqual({ 'role-a': 'deleted', 'role-b': 'deleted' })
  const yaml =
    'Resources:\n  A:\n    Type: AWS::IAM::Role\n    DeletionPolicy: Retain\n    Properties:\n      RoleName: !Ref Name\n  B:\n    Type: AWS::IAM::Role\n'
  expect(await fates(yaml)).toEqual(kept)
})

test('a resource that stays is said to stay', async () => {
  const evidence = await look('{"Resources":{"A":{"DeletionPolicy":"Retain"}}}')
  expect(summarise(DELETE, evidence)).toMatch(
    /^This would delete role `role-b` and leave behind role `role-a`\./,
  )
})

test('what the call itself retains is left behind', async () => {
  const action = awsAction(
    'cloudformation:DeleteStack',
    { StackName: 'shop', RetainResources: ['B'] },
    ['destroy'],
  )
  const evidence = await look('{"Resources":{}}', {}, action)
  expect(evidence.findings.map((one) => [one.name, one.fate])).toEqual([
    ['role-a', 'deleted'],
    ['role-b', 'kept'],
  ])
})

test('a policy that is not literal keeps nothing', async () => {
  const body = '{"Resources":{"A":{"DeletionPolicy":{"Fn::If":["Prod","Retain","Delete"]}}}}'
  expect(await fates(body)).toEqual({ 'role-a': 'deleted', 'role-b': 'deleted' })
})

test('a snapshot policy lets what could not be looked at be restored from a backup', async () => {
  const script = {
    'cloudformation:ListStackResources': stackResources([['Db', 'AWS::RDS::DBInstance', 'db-1']]),
  }
  const body = '{"Resources":{"Db":{"DeletionPolicy":"Snapshot"}}}'
  expect((await look(body, script)).findings[0]?.undo).toBe('from-backup')
  expect((await look('{"Resources":{}}', script)).findings[0]?.undo).toBe('unknown')
})

test('a template of two readings keeps nothing, and says so', async () => {
  for (const body of [
    '{"Resources":{"A":{"DeletionPolicy":"Retain","DeletionPolicy":"Delete"}}}',
    'Resources:\n  A:\n    DeletionPolicy: Retain\n    DeletionPolicy: Delete\n',
    'Resources: [',
    '{"Resources":[]}',
    'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: *c',
  ]) {
    const evidence = await look(body)
    expect(evidence.findings.every((one) => one.fate === 'deleted')).toBe(true)
    expect(evidence.couldNotLook).toEqual([DENIED])
  }
})

test('YAML is parsed at its limit of bytes and not one past it', async () => {
  const sized = (bytes: number) =>
    'Resources:\n  A:\n    DeletionPolicy: Retain\n#'.padEnd(bytes, 'x')
  expect((await fates(sized(MAX_YAML_BYTES)))['role-a']).toBe('kept')
  expect((await fates(sized(MAX_YAML_BYTES + 1)))['role-a']).toBe('deleted')
})

test('C7: another template is another binding; one that may not be read is unread', async () => {
  const first = await look('{"Resources":{}}')
  expect(sameBinding(first, await look('{"Resources":{}}'))).toBe(true)
  expect(sameBinding(first, await look('{"Resources":{ }}'))).toBe(false)
  const hidden = await resolve(DELETE, scriptedUpstream(SHOP), { deadlineMs: 1000 })
  expect(bindingRead(hidden)).toBe(false)
  expect(hidden.findings.every((one) => one.fate === 'deleted')).toBe(true)
})
