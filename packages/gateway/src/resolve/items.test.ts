import { expect, test } from 'vitest'
import { describedTable, NO_BACKUPS, RECOVERY_OFF, RECOVERY_ON } from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { MAX_BEFORE_BYTES, MAX_BEFORE_DEPTH, MAX_ITEMS_READ } from './items.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  dynamodbError,
  jsonAnswer,
  type Script,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'

const SETTINGS = {
  'dynamodb:DescribeTable': describedTable({ name: 'settings', items: 12, bytes: 900 }),
  'dynamodb:DescribeContinuousBackups': RECOVERY_OFF,
  'dynamodb:ListBackups': NO_BACKUPS,
}
const KEY = { report: { S: 'august' } }
const AUGUST = { report: { S: 'august' }, rounding: { S: 'down' }, rows: { N: '41' } }
const UPDATE = awsAction('dynamodb:UpdateItem', {
  TableName: 'settings',
  Key: KEY,
  UpdateExpression: 'SET rounding = :r',
  ExpressionAttributeValues: { ':r': { S: 'half-even' } },
})
const PUT = awsAction('dynamodb:PutItem', { TableName: 'settings', Item: AUGUST })
const DELETE = awsAction('dynamodb:DeleteItem', { TableName: 'settings', Key: KEY }, ['destroy'])
const FOUND = { ...SETTINGS, 'dynamodb:GetItem': jsonAnswer({ Item: AUGUST }) }
const ABSENT = { ...SETTINGS, 'dynamodb:GetItem': jsonAnswer({}) }

const look = (action: typeof UPDATE, script: Script) =>
  resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })

test('an update shows the item as it is now, binds its hash and adds nothing', async () => {
  const evidence = await look(UPDATE, FOUND)
  expect(evidence.before).toEqual({ items: [{ table: 'settings', key: KEY, item: AUGUST }] })
  expect(evidence.findings).toEqual([
    {
      type: 'item',
      name: 'settings · report=august',
      holds: '3 attributes · 67 bytes',
      holdsData: true,
      protectedFromDeletion: false,
      lastBackup: 'none',
      undo: 'yes',
      fate: 'changed',
    },
  ])
  expect(evidence.addedEffects).toEqual([])
  expect(evidence.couldNotLook).toEqual([])
  expect(bindingRead(evidence)).toBe(true)
})

test('C7: an item that changed since it was shown is another binding', async () => {
  const shown = await look(UPDATE, FOUND)
  const same = await look(UPDATE, FOUND)
  const other = await look(UPDATE, {
    ...SETTINGS,
    'dynamodb:GetItem': jsonAnswer({ Item: { ...AUGUST, rows: { N: '42' } } }),
  })
  expect(sameBinding(shown, same)).toBe(true)
  expect(sameBinding(shown, other)).toBe(false)
})

test('an item that appeared since is another binding', async () => {
  expect(sameBinding(await look(PUT, ABSENT), await look(PUT, FOUND))).toBe(false)
})

test('H6: a put over an item loses it; a put where nothing is creates it', async () => {
  const over = await look(PUT, FOUND)
  expect(over.addedEffects).toEqual(['destroy'])
  expect(over.findings[0]).toMatchObject({ fate: 'overwritten', undo: 'no' })
  const fresh = await look(PUT, ABSENT)
  expect(fresh.addedEffects).toEqual([])
  expect(fresh.findings[0]).toMatchObject({ fate: 'created', holdsData: false, undo: 'yes' })
})

test('with point-in-time recovery a put over an item can be restored', async () => {
  const evidence = await look(PUT, {
    ...FOUND,
    'dynamodb:DescribeContinuousBackups': RECOVERY_ON,
  })
  expect(evidence.findings[0]?.undo).toBe('from-backup')
})

test('a delete of nothing adds no effect, a delete of an item does', async () => {
  expect((await look(DELETE, ABSENT)).addedEffects).toEqual([])
  expect((await look(DELETE, FOUND)).addedEffects).toEqual(['destroy'])
})

test('an item that may not be read is unread, counts as lost, and is not shown', async () => {
  const evidence = await look(PUT, SETTINGS)
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.before).toBe(null)
  expect(evidence.findings[0]).toMatchObject({ holds: null, holdsData: null })
  expect(evidence.couldNotLook).toEqual([
    'could not read the item `settings · report=august`: the role of this session may not look',
  ])
})

test('a put to a table whose key is not known is unread', async () => {
  const evidence = await look(PUT, {})
  expect(bindingRead(evidence)).toBe(false)
  expect(evidence.couldNotLook).toContain(
    'could not read the item `settings`: the key of its table is not known',
  )
})

test('a write to a table that does not exist touches nothing', async () => {
  const evidence = await look(PUT, {
    ...SETTINGS,
    'dynamodb:DescribeTable': dynamodbError('ResourceNotFoundException'),
  })
  expect(evidence.addedEffects).toEqual([])
  expect(evidence.binding).toMatchObject({ tables: [{ name: 'settings', absent: true }] })
})

test('a key attribute that is called unread does not make the binding unread', async () => {
  const action = awsAction('dynamodb:UpdateItem', {
    TableName: 'settings',
    Key: { unread: { S: 'x' } },
  })
  const evidence = await look(action, FOUND)
  expect(bindingRead(evidence)).toBe(true)
})

test('a batch looks at each put and delete; a transaction at each but its checks', async () => {
  const batch = awsAction('dynamodb:BatchWriteItem', {
    RequestItems: {
      settings: [
        { PutRequest: { Item: AUGUST } },
        { DeleteRequest: { Key: { report: { S: 'july' } } } },
      ],
    },
  })
  const batched = await look(batch, FOUND)
  expect(batched.findings.map((one) => [one.name, one.fate])).toEqual([
    ['settings · report=july', 'deleted'],
    ['settings · report=august', 'overwritten'],
  ])
  const transaction = awsAction('dynamodb:TransactWriteItems', {
    TransactItems: [
      { ConditionCheck: { TableName: 'settings', Key: KEY } },
      { Update: { TableName: 'settings', Key: KEY } },
    ],
  })
  const transacted = await look(transaction, FOUND)
  expect(transacted.findings.map((one) => [one.name, one.fate])).toEqual([
    ['settings · report=august', 'changed'],
  ])
})

test('parameters that name no item are unread and count as a loss', async () => {
  for (const action of [
    awsAction('dynamodb:PutItem', { TableName: 'settings' }),
    awsAction('dynamodb:BatchWriteItem', { RequestItems: { settings: [{ Other: {} }] } }),
    awsAction('dynamodb:BatchWriteItem', {}),
    awsAction('dynamodb:TransactWriteItems', { TransactItems: [{ Other: {} }] }),
  ]) {
    const evidence = await look(action, FOUND)
    expect(bindingRead(evidence)).toBe(false)
    expect(evidence.addedEffects).toEqual(['destroy'])
  }
})

test('as many items are read as one call may write, and not one more', async () => {
  const puts = (count: number) =>
    awsAction('dynamodb:BatchWriteItem', {
      RequestItems: {
        settings: Array.from({ length: count }, (_, at) => ({
          DeleteRequest: { Key: { report: { S: `r${at}` } } },
        })),
      },
    })
  expect((await look(puts(MAX_ITEMS_READ), FOUND)).findings).toHaveLength(MAX_ITEMS_READ)
  const past = await look(puts(MAX_ITEMS_READ + 1), FOUND)
  expect(past.findings).toEqual([])
  expect(past.binding).toEqual({ items: { unread: 'there are too many' } })
})

test('what is there now is shown up to a size; past it the hash alone binds it', async () => {
  const sized = (length: number) =>
    look(UPDATE, {
      ...SETTINGS,
      'dynamodb:GetItem': jsonAnswer({ Item: { ...KEY, text: { S: 'x'.repeat(length) } } }),
    })
  const around = JSON.stringify([
    { item: { ...KEY, text: { S: '' } }, key: KEY, table: 'settings' },
  ]).length
  const at = await sized(MAX_BEFORE_BYTES - around)
  expect(at.before).not.toBe(null)
  const past = await sized(MAX_BEFORE_BYTES - around + 1)
  expect(past.before).toBe(null)
  expect(past.findings[0]?.undo).toBe('no')
  expect(bindingRead(past)).toBe(true)
  expect(past.couldNotLook).toEqual(['what is there now is larger than 16 kB and is not shown'])
})

test('what is there now is shown to a depth; past it the hash alone binds it', async () => {
  const nested = (depth: number): object =>
    depth === 0 ? { S: 'x' } : { M: { a: nested(depth - 1) } }
  const of = (depth: number) =>
    look(UPDATE, {
      ...SETTINGS,
      'dynamodb:GetItem': jsonAnswer({ Item: { ...KEY, deep: nested(depth) } }),
    })
  // A list, its entry, the item and the innermost value are 4; each level of a map adds 2.
  const levels = (MAX_BEFORE_DEPTH - 4) / 2
  expect((await of(levels)).before).not.toBe(null)
  const past = await of(levels + 1)
  expect(past.before).toBe(null)
  expect(bindingRead(past)).toBe(true)
})
