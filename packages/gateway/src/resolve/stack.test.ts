import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  describedStack,
  describedTable,
  type ListedResource,
  listing,
  NO_BACKUPS,
  NO_OBJECT_LOCK,
  RECOVERY_OFF,
  STACK_ID,
  stackResources,
  template,
  versioning,
} from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  headAnswer,
  queryError,
  type Script,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'
import { MAX_STACK_RESOURCES } from './stack-contents.ts'
import { summarise } from './summary.ts'

const TABLE: ListedResource = ['Settings', 'AWS::DynamoDB::Table', 'settings']
const BUCKET: ListedResource = ['Reports', 'AWS::S3::Bucket', 'reports']
const ROLE: ListedResource = ['Reader', 'AWS::IAM::Role', 'report-reader']
const INSIDE = {
  'dynamodb:DescribeTable settings': describedTable({
    name: 'settings',
    items: 1204,
    bytes: 2_100_000,
  }),
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
  's3:GET /reports?versioning': versioning(null),
  's3:GET /reports?object-lock': NO_OBJECT_LOCK,
  's3:GET /reports?list-type=2&max-keys=1000': listing(13, 3_692_307, null),
}
const SHOP = {
  ...INSIDE,
  'cloudformation:DescribeStacks': describedStack(),
  'cloudformation:ListStackResources': stackResources([TABLE, BUCKET, ROLE]),
  'cloudformation:GetTemplate': template('{"Resources":{}}'),
}
const SHOP_HEAD = 's3:HEAD /templates/shop%20a.json'
const DELETE = awsAction('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])

const look = (action: typeof DELETE, script: Script) =>
  resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })

test('a stack that would be deleted shows every resource in it and what would be lost', async () => {
  const evidence = await look(DELETE, SHOP)
  expect(
    evidence.findings.map((one) => [one.type, one.name, one.holds, one.lastBackup, one.undo]),
  ).toEqual([
    ['bucket', 'reports', '13 objects · 48 MB', 'versions off', 'no'],
    ['table', 'settings', '1,204 items · 2.1 MB', 'none', 'no'],
    ['role', 'report-reader', '–', '–', 'yes'],
  ])
  expect(evidence.couldNotLook).toEqual([])
  expect(evidence.addedEffects).toEqual(['permissions', 'destroy'])
  expect(evidence.binding).toEqual({
    stack: { name: 'shop', stackId: STACK_ID, roleArn: null, terminationProtection: false },
    resources: [
      { type: 'AWS::IAM::Role', logicalId: 'Reader', physicalId: 'report-reader' },
      { type: 'AWS::S3::Bucket', logicalId: 'Reports', physicalId: 'reports' },
      { type: 'AWS::DynamoDB::Table', logicalId: 'Settings', physicalId: 'settings' },
    ],
    template: { sha256: createHash('sha256').update('{"Resources":{}}').digest('hex') },
  })
  expect(summarise(DELETE, evidence)).toBe(
    'This would delete 3 resources. 2 hold data. None can be restored from here.',
  )
})

test('C7: a stack whose content grew, or that another role acts for, is another binding', async () => {
  const shown = await look(DELETE, SHOP)
  expect(sameBinding(shown, await look(DELETE, SHOP))).toBe(true)
  const grown = stackResources([TABLE, BUCKET, ROLE, ['More', 'AWS::S3::Bucket', 'more']])
  const withMore = { ...SHOP, 'cloudformation:ListStackResources': grown }
  expect(sameBinding(shown, await look(DELETE, withMore))).toBe(false)
  const roleArn = 'arn:aws:iam::123456789012:role/cfn-admin'
  const withRole = { ...SHOP, 'cloudformation:DescribeStacks': describedStack({ roleArn }) }
  expect(sameBinding(shown, await look(DELETE, withRole))).toBe(false)
})

test('the order in which resources are listed is no difference', async () => {
  const turned = stackResources([ROLE, TABLE, BUCKET])
  const script = { ...SHOP, 'cloudformation:ListStackResources': turned }
  expect(sameBinding(await look(DELETE, SHOP), await look(DELETE, script))).toBe(true)
})

test('every page of resources is read', async () => {
  const script = {
    ...SHOP,
    'cloudformation:ListStackResources shop': stackResources([TABLE, BUCKET], 'p2'),
    'cloudformation:ListStackResources shop from p2': stackResources([ROLE]),
  }
  expect(sameBinding(await look(DELETE, SHOP), await look(DELETE, script))).toBe(true)
})

test('a page that breaks off leaves the resources unread, those seen still shown', async () => {
  const script = {
    ...SHOP,
    'cloudformation:ListStackResources': stackResources([TABLE], 'p2'),
    'cloudformation:ListStackResources shop from p2': queryError('AccessDenied', 403),
  }
  const evidence = await look(DELETE, script)
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.findings.map((one) => one.name)).toEqual(['settings'])
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.couldNotLook).toEqual([
    'could not read the resources of stack `shop`: the role of this session may not look',
  ])
})

test('resources are read up to the quota of a stack, and past it are said to be more', async () => {
  const roles = (count: number) =>
    stackResources(
      Array.from(
        { length: count },
        (_, at) => [`Role${at}`, 'AWS::IAM::Role', `role-${at}`] as const,
      ),
    )
  const of = (count: number) =>
    look(DELETE, { ...SHOP, 'cloudformation:ListStackResources': roles(count) })
  const at = await of(MAX_STACK_RESOURCES)
  expect(at.findings).toHaveLength(MAX_STACK_RESOURCES)
  expect(bindingRead(at)).toBe(true)
  const past = await of(MAX_STACK_RESOURCES + 1)
  expect(past.findings).toHaveLength(MAX_STACK_RESOURCES)
  expect(past.binding['resources']).toEqual({ unread: 'too many' })
})

test('termination protection protects all that is in the stack', async () => {
  const guarded = { ...SHOP, 'cloudformation:DescribeStacks': describedStack({ guarded: true }) }
  const evidence = await look(DELETE, guarded)
  expect(evidence.findings.every((one) => one.protectedFromDeletion === true)).toBe(true)
})

test('nested stacks and custom resources are opaque and say so', async () => {
  const listed = stackResources([
    ['Seed', 'Custom::Seed', 'seed-1'],
    ['Network', 'AWS::CloudFormation::Stack', 'arn:aws:cloudformation:eu-west-1:1:stack/n/2'],
  ])
  const evidence = await look(DELETE, { ...SHOP, 'cloudformation:ListStackResources': listed })
  expect(evidence.addedEffects).toEqual(['opaque', 'destroy'])
  expect(evidence.couldNotLook).toEqual([
    'a resource of type `Custom::Seed` runs code of its own, which was not read',
    'nested stack `arn:aws:cloudformation:eu-west-1:1:stack/n/2` holds more than is listed here: it was not opened',
  ])
})

test('a kind that has no look-up is a row that says nothing was learned', async () => {
  const listed = stackResources([['Events', 'AWS::MSK::Cluster', 'msk-1']])
  const evidence = await look(DELETE, { ...SHOP, 'cloudformation:ListStackResources': listed })
  expect(evidence.findings[0]).toMatchObject({ type: 'cluster', holds: null, undo: 'unknown' })
  expect(evidence.couldNotLook).toEqual(['no look-up exists for `AWS::MSK::Cluster` yet'])
})

test('a stack that does not exist is said so; one that may not be read is unread', async () => {
  const gone = queryError('ValidationError')
  const absent = await look(DELETE, {
    'cloudformation:DescribeStacks': gone,
    'cloudformation:ListStackResources': gone,
    'cloudformation:GetTemplate': gone,
  })
  expect(absent.binding).toEqual({ stack: { name: 'shop', absent: true, roleArn: null } })
  expect(absent.addedEffects).toEqual([])
  const hidden = await look(DELETE, {})
  expect(bindingRead(hidden)).toBe(false)
  expect(hidden.addedEffects).toEqual(['destroy'])
  expect(JSON.stringify(hidden)).not.toContain('SECRET-WORDS')
})

test('an update of a stack is opaque: what it changes is not known before', async () => {
  const action = awsAction('cloudformation:UpdateStack', { StackName: 'shop' }, ['opaque'])
  const evidence = await look(action, SHOP)
  expect(evidence.addedEffects).toEqual(['permissions', 'opaque'])
  expect(evidence.findings.every((one) => one.fate === 'changed')).toBe(true)
  expect(evidence.couldNotLook).toEqual([
    'what an update would change is not known before: a change set would tell',
  ])
})

test('a stack that is gone already, and is named by its id, is not there', async () => {
  const gone = describedStack({ status: 'DELETE_COMPLETE' })
  const evidence = await look(DELETE, { ...SHOP, 'cloudformation:DescribeStacks': gone })
  expect(evidence.binding['stack']).toMatchObject({ absent: true })
  expect(evidence.addedEffects).toEqual([])
})

test('C7: a template at an address is pinned by what is there; one in the call is the call', async () => {
  const create = (
    parameters: Record<string, string>,
    script: Script = {},
    operation = 'CreateStack',
  ) =>
    look(awsAction(`cloudformation:${operation}`, { StackName: 'shop', ...parameters }), {
      ...SHOP,
      ...script,
    })
  const inCall = await create({ TemplateBody: '{}' })
  expect(bindingRead(inCall)).toBe(true)
  expect(inCall.addedEffects).toEqual([])
  const address = { TemplateURL: 'https://templates.s3.eu-west-1.amazonaws.com/shop%20a.json' }
  const there = (etag: string) => ({
    [SHOP_HEAD]: headAnswer({ ETag: etag, 'Content-Length': '9' }),
  })
  for (const operation of ['CreateStack', 'UpdateStack', 'CreateChangeSet']) {
    const shown = await create(address, there('"a"'), operation)
    expect(bindingRead(shown)).toBe(true)
    expect(shown.addedEffects).toContain('opaque')
    expect(sameBinding(shown, await create(address, there('"a"'), operation))).toBe(true)
    expect(sameBinding(shown, await create(address, there('"b"'), operation))).toBe(false)
    expect(bindingRead(await create(address, {}, operation))).toBe(false)
  }
  const pathStyle = 'https://s3.eu-west-1.amazonaws.com/templates/shop%20a.json'
  expect(bindingRead(await create({ TemplateURL: pathStyle }, there('"a"')))).toBe(true)
  for (const TemplateURL of [
    'https://example.com/shop.json',
    'http://s3.amazonaws.com/templates/shop.json',
    'https://s3.amazonaws.com.example.com/templates/shop.json',
    'https://s3.amazonaws.com/templates/a/../shop.json',
    'https://s3.amazonaws.com/templates/a/%2E%2e/shop.json',
    'https://s3.amazonaws.com/templates',
    'shop.json',
  ]) {
    const elsewhere = await create({ TemplateURL }, { 's3:HEAD': there('"a"')[SHOP_HEAD] })
    expect([TemplateURL, bindingRead(elsewhere)]).toEqual([TemplateURL, false])
    expect(elsewhere.addedEffects).toEqual(['opaque'])
  }
})
