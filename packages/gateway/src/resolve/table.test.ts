import { parseStrictJson } from '@seconder/aws/strict-json'
import { expect, test } from 'vitest'
import type { JsonObject } from '../describe/action.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import {
  backups,
  describedTable,
  NO_BACKUPS,
  RECOVERY_OFF,
  RECOVERY_ON,
} from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  dynamodbError,
  jsonAnswer,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'
import { MAX_BACKUP_PAGES } from './table.ts'

const ORDERS = describedTable({ name: 'orders', items: 1204, bytes: 2_100_000 })
const UNSAVED = {
  'dynamodb:DescribeTable': ORDERS,
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
}
const DELETE = awsAction('dynamodb:DeleteTable', { TableName: 'orders' }, ['destroy'])

test('a table without a backup is shown with its size and cannot be undone', async () => {
  const evidence = await resolve(DELETE, scriptedUpstream(UNSAVED), { deadlineMs: 1000 })
  expect(evidence).toEqual({
    binding: {
      table: {
        name: 'orders',
        tableId: '12345678-0123-4567-a123-abcdefghijkl',
        tableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
        created: '1363729002.358',
      },
    },
    findings: [
      {
        type: 'table',
        name: 'orders',
        holds: '1,204 items · 2.1 MB',
        holdsData: true,
        protectedFromDeletion: false,
        lastBackup: 'none',
        undo: 'no',
        fate: 'deleted',
      },
    ],
    couldNotLook: [],
    addedEffects: ['destroy'],
    before: null,
  })
})

test('with point-in-time recovery on, the table can be restored from a backup', async () => {
  const script = { ...UNSAVED, 'dynamodb:DescribeContinuousBackups': RECOVERY_ON }
  const evidence = await resolve(DELETE, scriptedUpstream(script), { deadlineMs: 1000 })
  expect(evidence.findings[0]).toMatchObject({
    lastBackup: '2018-03-02T19:24:13.010Z',
    undo: 'from-backup',
  })
})

test('the newest available backup of this very table counts, no other', async () => {
  const listed = backups([
    { at: 1_500_000_000 },
    { at: 1_600_000_000 },
    { at: 1_700_000_000, status: 'CREATING' },
    { at: 1_700_000_001, tableId: 'of-an-earlier-table-of-that-name' },
  ])
  const script = { ...UNSAVED, 'dynamodb:ListBackups': listed }
  const evidence = await resolve(DELETE, scriptedUpstream(script), { deadlineMs: 1000 })
  expect(evidence.findings[0]).toMatchObject({
    lastBackup: '2020-09-13T12:26:40.000Z',
    undo: 'from-backup',
  })
})

test('backups alone of an earlier table of that name save nothing', async () => {
  const listed = backups([{ at: 1_700_000_001, tableId: 'of-an-earlier-table-of-that-name' }])
  const script = { ...UNSAVED, 'dynamodb:ListBackups': listed }
  const evidence = await resolve(DELETE, scriptedUpstream(script), { deadlineMs: 1000 })
  expect(evidence.findings[0]).toMatchObject({ lastBackup: 'none', undo: 'no' })
})

test('backups are read to the last page within the limit, and past it are said to be more', async () => {
  const page = backups([], 'next')
  const last = backups([{ at: 1_600_000_000 }])
  const within = [...Array.from({ length: MAX_BACKUP_PAGES - 1 }, () => page), last]
  const atLimit = await resolve(
    DELETE,
    scriptedUpstream({ ...UNSAVED, 'dynamodb:ListBackups': within }),
    { deadlineMs: 1000 },
  )
  expect(atLimit.findings[0]?.lastBackup).toBe('2020-09-13T12:26:40.000Z')
  expect(atLimit.couldNotLook).toEqual([])
  const past = await resolve(
    DELETE,
    scriptedUpstream({ ...UNSAVED, 'dynamodb:ListBackups': [page, ...within] }),
    { deadlineMs: 1000 },
  )
  expect(past.findings[0]).toMatchObject({ lastBackup: null, undo: 'unknown' })
  expect(past.couldNotLook).toEqual(['the backups of table `orders` are more than were read'])
})

test('a count of zero is checked, for it is some hours old', async () => {
  const empty = {
    ...UNSAVED,
    'dynamodb:DescribeTable': describedTable({ name: 'orders', items: 0, bytes: 0 }),
  }
  const probed = async (count: number) =>
    resolve(
      DELETE,
      scriptedUpstream({
        ...empty,
        'dynamodb:Scan': jsonAnswer({ Count: count, ScannedCount: count }),
      }),
      {
        deadlineMs: 1000,
      },
    )
  expect((await probed(0)).findings[0]).toMatchObject({
    holds: '0 items · 0 bytes',
    holdsData: false,
    undo: 'yes',
  })
  expect((await probed(1)).findings[0]).toMatchObject({
    holds: 'at least 1 item, not counted yet',
    holdsData: true,
    undo: 'no',
  })
  const denied = await resolve(DELETE, scriptedUpstream(empty), { deadlineMs: 1000 })
  expect(denied.findings[0]).toMatchObject({ holdsData: null, undo: 'no' })
  expect(denied.couldNotLook).toEqual([
    'could not read whether table `orders` is empty now: the role of this session may not look',
  ])
})

test('the probe of an empty table reads one item and only counts it', async () => {
  const table = describedTable({ name: 'orders', items: 0, bytes: 0 })
  const upstream = scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeTable': table })
  await resolve(DELETE, upstream, { deadlineMs: 1000 })
  const scan = upstream.calls[upstream.asked.indexOf('dynamodb:Scan orders')]
  expect(JSON.parse(new TextDecoder().decode(scan?.body))).toEqual({
    TableName: 'orders',
    Limit: 1,
    Select: 'COUNT',
    ConsistentRead: true,
  })
})

test('a table that is recreated under its name is another one; the same one is the same', async () => {
  const look = async (id: string) => {
    const table = describedTable({ name: 'orders', items: 1204, bytes: 2_100_000, id })
    return resolve(DELETE, scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeTable': table }), {
      deadlineMs: 1000,
    })
  }
  expect(sameBinding(await look('a'), await look('a'))).toBe(true)
  expect(sameBinding(await look('a'), await look('b'))).toBe(false)
})

test('a size that grows in between is no difference; it is advice, not binding', async () => {
  const grown = describedTable({ name: 'orders', items: 1300, bytes: 2_200_000 })
  const before = await resolve(DELETE, scriptedUpstream(UNSAVED), { deadlineMs: 1000 })
  const after = await resolve(
    DELETE,
    scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeTable': grown }),
    { deadlineMs: 1000 },
  )
  expect(sameBinding(before, after)).toBe(true)
})

test('a table that may not be described is unread, in words of ours alone', async () => {
  const evidence = await resolve(DELETE, scriptedUpstream({}), { deadlineMs: 1000 })
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.binding).toEqual({ table: { name: 'orders', unread: 'access denied' } })
  expect(evidence.findings[0]).toMatchObject({
    holds: null,
    holdsData: null,
    protectedFromDeletion: null,
    lastBackup: null,
    undo: 'unknown',
  })
  expect(evidence.couldNotLook).toEqual([
    'could not read point-in-time recovery of table `orders`: the role of this session may not look',
    'could not read table `orders`: the role of this session may not look',
    'could not read the backups of table `orders`: the role of this session may not look',
  ])
  expect(JSON.stringify(evidence)).not.toContain('SECRET-WORDS')
})

test('a table that does not exist is said so, and adds no effect', async () => {
  const absent = dynamodbError('ResourceNotFoundException')
  const evidence = await resolve(
    DELETE,
    scriptedUpstream({
      'dynamodb:DescribeTable': absent,
      'dynamodb:DescribeContinuousBackups': dynamodbError('TableNotFoundException'),
      'dynamodb:ListBackups': NO_BACKUPS,
    }),
    { deadlineMs: 1000 },
  )
  expect(evidence.binding).toEqual({ table: { name: 'orders', absent: true } })
  expect(bindingRead(evidence)).toBe(true)
  expect(evidence.addedEffects).toEqual([])
  expect(evidence.couldNotLook).toEqual([])
})

test('an update of a table shows and binds the settings as they are now', async () => {
  const action = awsAction('dynamodb:UpdateTable', {
    TableName: 'orders',
    DeletionProtectionEnabled: false,
  })
  const look = async (guarded: boolean) => {
    const table = describedTable({ name: 'orders', items: 1, bytes: 10, guarded })
    return resolve(action, scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeTable': table }), {
      deadlineMs: 1000,
    })
  }
  const guarded = await look(true)
  expect(guarded.before).toMatchObject({ settings: { DeletionProtectionEnabled: true } })
  expect(guarded.addedEffects).toEqual([])
  expect(sameBinding(guarded, await look(true))).toBe(true)
  expect(sameBinding(guarded, await look(false))).toBe(false)
})

test('H6: deleting a replica or an index, expiring items, ending recovery lose data', async () => {
  const effectsOf = async (operation: string, parameters: Record<string, never> | object) => {
    const action = awsAction(operation, { TableName: 'orders', ...parameters })
    const script = { ...UNSAVED, 'dynamodb:DescribeContinuousBackups': RECOVERY_ON }
    return (await resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })).addedEffects
  }
  const replica = { ReplicaUpdates: [{ Delete: { RegionName: 'us-east-1' } }] }
  const index = { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-day' } }] }
  const newIndex = { GlobalSecondaryIndexUpdates: [{ Create: { IndexName: 'by-day' } }] }
  expect(await effectsOf('dynamodb:UpdateTable', replica)).toEqual(['destroy'])
  expect(await effectsOf('dynamodb:UpdateTable', index)).toEqual(['destroy'])
  expect(await effectsOf('dynamodb:UpdateTable', newIndex)).toEqual([])
  const ttl = (Enabled: boolean) => ({ TimeToLiveSpecification: { Enabled, AttributeName: 'ttl' } })
  expect(await effectsOf('dynamodb:UpdateTimeToLive', ttl(true))).toEqual(['destroy'])
  expect(await effectsOf('dynamodb:UpdateTimeToLive', ttl(false))).toEqual([])
  const recovery = (PointInTimeRecoveryEnabled: boolean) => ({
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled },
  })
  expect(await effectsOf('dynamodb:UpdateContinuousBackups', recovery(false))).toEqual(['destroy'])
  expect(await effectsOf('dynamodb:UpdateContinuousBackups', recovery(true))).toEqual([])
})

test('what is shown of a table can be written out and read again', async () => {
  const table = {
    TableName: 'orders',
    TableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
    TableId: 'a',
    ItemCount: 1,
    TableSizeBytes: 1,
    DeletionProtectionEnabled: false,
    BillingModeSummary: {
      BillingMode: 'PAY_PER_REQUEST',
      LastUpdateToPayPerRequestDateTime: 1363729002.358,
    },
  }
  const action = awsAction('dynamodb:UpdateTable', { TableName: 'orders' })
  const script = { ...UNSAVED, 'dynamodb:DescribeTable': jsonAnswer({ Table: table }) }
  const evidence = await resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })
  expect(evidence.before).toMatchObject({
    settings: {
      BillingModeSummary: { LastUpdateToPayPerRequestDateTime: '1363729002.358' },
    },
  })
  expect(parseStrictJson(canonicalJson(evidence as unknown as JsonObject))).toEqual(evidence)
})

test('turning recovery off binds that it was on', async () => {
  const action = awsAction('dynamodb:UpdateContinuousBackups', {
    TableName: 'orders',
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
  })
  const of = (answer: typeof RECOVERY_ON) =>
    resolve(
      action,
      scriptedUpstream({ ...UNSAVED, 'dynamodb:DescribeContinuousBackups': answer }),
      { deadlineMs: 1000 },
    )
  const on = await of(RECOVERY_ON)
  expect(on.addedEffects).toEqual(['destroy'])
  expect((await of(RECOVERY_OFF)).addedEffects).toEqual([])
  expect(sameBinding(on, await of(RECOVERY_OFF))).toBe(false)
  expect(bindingRead(await of(dynamodbError('AccessDeniedException')))).toBe(false)
})
