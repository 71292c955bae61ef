import { expect, test } from 'vitest'
import {
  CHANGE_SET_ID,
  changeSet,
  describedStack,
  describedTable,
  type ListedChange,
  NO_BACKUPS,
  RECOVERY_OFF,
} from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { MAX_CHANGES } from './change-set.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  queryError,
  type Script,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'
import { summarise } from './summary.ts'

const INSIDE = {
  'cloudformation:DescribeStacks': describedStack(),
  'dynamodb:DescribeTable': describedTable({ name: 'settings', items: 4, bytes: 400 }),
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
}
const EXECUTE = awsAction(
  'cloudformation:ExecuteChangeSet',
  { StackName: 'shop', ChangeSetName: 'fix' },
  ['opaque'],
)
const table = (more: Partial<ListedChange>): ListedChange => ({
  action: 'Modify',
  type: 'AWS::DynamoDB::Table',
  logicalId: 'Settings',
  physicalId: 'settings',
  ...more,
})
const role = (more: Partial<ListedChange>): ListedChange => ({
  action: 'Modify',
  type: 'AWS::IAM::Role',
  logicalId: 'Reader',
  physicalId: 'report-reader',
  ...more,
})

const look = (script: Script) =>
  resolve(EXECUTE, scriptedUpstream({ ...INSIDE, ...script }), { deadlineMs: 1000 })
const lookAt = (...changes: ListedChange[]) =>
  look({ 'cloudformation:DescribeChangeSet': changeSet(changes) })

test('a removal destroys and shows what would go', async () => {
  const evidence = await lookAt(table({ action: 'Remove' }))
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.findings[0]).toMatchObject({
    type: 'table',
    name: 'settings',
    holds: '4 items · 400 bytes',
    fate: 'deleted',
    undo: 'no',
  })
  expect(summarise(EXECUTE, evidence)).toContain('This would delete table `settings`.')
})

test('a removal that its policy retains deletes nothing', async () => {
  const evidence = await lookAt(table({ action: 'Remove', policyAction: 'Retain' }))
  expect(evidence.addedEffects).toEqual(['write'])
  expect(evidence.findings[0]?.fate).toBe('changed')
})

test('a replacement, certain or conditional, replaces and loses what the old one holds', async () => {
  for (const replacement of ['True', 'Conditional']) {
    const evidence = await lookAt(table({ replacement }))
    expect(evidence.addedEffects).toEqual(['replace', 'destroy'])
    expect(evidence.findings[0]?.fate).toBe('replaced')
  }
  const kept = await lookAt(table({ replacement: 'True', policyAction: 'ReplaceAndRetain' }))
  expect(kept.addedEffects).toEqual(['replace'])
  const empty = await lookAt(role({ replacement: 'True' }))
  expect(empty.addedEffects).toEqual(['replace', 'permissions'])
})

test('a change in place writes; a change of a role is one of permissions', async () => {
  expect((await lookAt(table({ replacement: 'False' }))).addedEffects).toEqual(['write'])
  expect((await lookAt(role({ replacement: 'False' }))).addedEffects).toEqual([
    'write',
    'permissions',
  ])
})

test('an addition creates and is looked up nowhere', async () => {
  const upstream = scriptedUpstream({
    ...INSIDE,
    'cloudformation:DescribeChangeSet': changeSet([
      { action: 'Add', type: 'AWS::S3::Bucket', logicalId: 'New', replacement: 'True' },
    ]),
  })
  const evidence = await resolve(EXECUTE, upstream, { deadlineMs: 1000 })
  expect(evidence.addedEffects).toEqual(['write'])
  expect(evidence.findings[0]).toMatchObject({ name: 'New', fate: 'created', holdsData: false })
  expect(upstream.asked.some((name) => name.startsWith('s3:'))).toBe(false)
})

test('nested stacks, custom resources and dynamic changes are said to be more than is listed', async () => {
  const nested = { action: 'Modify', type: 'AWS::CloudFormation::Stack', logicalId: 'Net' }
  expect((await lookAt({ ...nested, physicalId: 'net' })).addedEffects).toContain('opaque')
  const custom = { action: 'Add', type: 'Custom::Seed', logicalId: 'Seed' }
  expect((await lookAt(custom)).addedEffects).toEqual(['write', 'opaque'])
  expect((await lookAt(table({ action: 'Dynamic' }))).addedEffects).toEqual(['unknown'])
  expect((await lookAt(table({ action: 'SomethingNew' }))).addedEffects).toEqual(['unknown'])
})

test('C7: a change set of the same name with other changes, or made again, is another binding', async () => {
  const shown = await lookAt(table({ replacement: 'False' }), role({}))
  const turned = await lookAt(role({}), table({ replacement: 'False' }))
  expect(sameBinding(shown, turned)).toBe(true)
  const other = await lookAt(table({ replacement: 'True' }), role({}))
  expect(sameBinding(shown, other)).toBe(false)
  const again = await look({
    'cloudformation:DescribeChangeSet': changeSet(
      [table({ replacement: 'False' }), role({})],
      null,
      `${CHANGE_SET_ID}-2`,
    ),
  })
  expect(sameBinding(shown, again)).toBe(false)
})

test('every page of changes is read', async () => {
  const evidence = await look({
    'cloudformation:DescribeChangeSet fix': changeSet([table({ replacement: 'False' })], 'p2'),
    'cloudformation:DescribeChangeSet fix from p2': changeSet([role({ action: 'Remove' })]),
  })
  expect(evidence.findings.map((one) => [one.name, one.fate])).toEqual([
    ['report-reader', 'deleted'],
    ['settings', 'changed'],
  ])
})

test('changes are read up to a number; past it the change set is unread and opaque', async () => {
  const adds = (count: number): ListedChange[] =>
    Array.from({ length: count }, (_, at) => ({
      action: 'Add',
      type: 'AWS::SNS::Topic',
      logicalId: `Topic${at}`,
    }))
  const at = await lookAt(...adds(MAX_CHANGES))
  expect(bindingRead(at)).toBe(true)
  const past = await lookAt(...adds(MAX_CHANGES + 1))
  expect(bindingRead(past)).toBe(false)
  expect(past.addedEffects).toEqual(['write', 'opaque'])
})

test('a change set that breaks off, or may not be read, is unread and opaque', async () => {
  const broken = await look({
    'cloudformation:DescribeChangeSet fix': changeSet([table({})], 'p2'),
    'cloudformation:DescribeChangeSet fix from p2': queryError('AccessDenied', 403),
  })
  expect(bindingRead(broken)).toBe(false)
  expect(broken.addedEffects).toContain('opaque')
  const hidden = await look({})
  expect(hidden.binding).toEqual({ changeSet: { name: 'fix', unread: 'access denied' } })
  expect(hidden.addedEffects).toEqual(['opaque'])
  expect(JSON.stringify(hidden)).not.toContain('SECRET-WORDS')
})

test('a change set that does not exist is said so', async () => {
  const evidence = await look({
    'cloudformation:DescribeChangeSet': queryError('ChangeSetNotFound', 404),
  })
  expect(evidence.binding).toEqual({ changeSet: { name: 'fix', absent: true } })
  expect(summarise(EXECUTE, evidence)).toContain('There is no change set `fix`')
})
