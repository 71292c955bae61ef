import { expect, test } from 'vitest'
import type { Effect } from '../describe/action.ts'
import { type Evidence, type Finding, NO_EVIDENCE } from './evidence.ts'
import { awsAction } from './scripted-upstream.fixture.ts'
import { summarise } from './summary.ts'

const row = (name: string, more: Partial<Finding>): Finding => ({
  type: 'table',
  name,
  holds: '12 items · 900 bytes',
  holdsData: true,
  protectedFromDeletion: false,
  lastBackup: 'none',
  undo: 'no',
  fate: 'deleted',
  ...more,
})
const settings = row('settings', {})
const bucket = row('reports', { type: 'bucket', holds: '13 objects · 48 MB' })
const role = row('reader', { type: 'role', holds: '–', holdsData: false, undo: 'yes' })
const saved = { undo: 'from-backup', lastBackup: '2026-11-01T00:00:00.000Z' } as const
const unseen = { holds: null, holdsData: null, undo: 'unknown' } as const

function sentence(findings: readonly Finding[], more: Partial<Evidence> = {}): string {
  const action = awsAction('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])
  return summarise(action, { ...NO_EVIDENCE, findings, ...more })
}

test('a stack with data and no way back reads as on the request page', () => {
  expect(sentence([settings, bucket, role])).toBe(
    'This would delete 3 resources. 2 hold data. None can be restored from here.',
  )
})

test('one thing is named, with what it holds', () => {
  expect(sentence([settings])).toBe(
    'This would delete table `settings`. It holds 12 items · 900 bytes. It cannot be restored from here.',
  )
  expect(sentence([role])).toBe('This would delete role `reader`. It holds no data.')
})

test('things of one kind are counted by their kind', () => {
  expect(sentence([settings, row('orders', {})])).toBe(
    'This would delete 2 tables. All 2 hold data. None can be restored from here.',
  )
  expect(sentence([role, row('b', { ...role, name: 'b' })])).toBe(
    'This would delete 2 roles. None holds data.',
  )
})

test('what can be restored, and what not, is said apart, the worst first', () => {
  expect(sentence([row('a', saved)])).toContain('It can be restored from a backup.')
  expect(sentence([row('a', saved), row('b', saved)])).toContain(
    'All can be restored from backups.',
  )
  expect(sentence([row('a', saved), row('b', {})])).toContain(
    '1 cannot be restored from here and 1 can be restored from a backup.',
  )
  expect(sentence([row('a', { undo: 'yes' })])).toContain('It can be undone.')
  expect(sentence([row('a', { undo: 'yes' }), row('b', { undo: 'yes' })])).toContain(
    'All can be undone.',
  )
  expect(sentence([row('a', { undo: 'unknown' })])).toContain(
    'It is not known whether it can be restored.',
  )
  expect(sentence([row('a', { undo: 'unknown' }), row('b', saved), row('c', {})])).toContain(
    '1 cannot be restored from here, of 1 it is not known and 1 can be restored from a backup.',
  )
})

test('what could not be looked up is said, for one, for some, for all', () => {
  const couldNotLook = ['could not read table `a`: the role of this session may not look']
  expect(sentence([row('a', unseen)], { couldNotLook })).toBe(
    'This would delete table `a`. What it holds could not be looked up.',
  )
  expect(sentence([row('a', unseen), settings], { couldNotLook })).toBe(
    'This would delete 2 tables. 1 holds data. It cannot be restored from here. What 1 of them holds could not be looked up.',
  )
  expect(sentence([row('a', unseen), row('b', unseen)], { couldNotLook })).toBe(
    'This would delete 2 tables. What 2 of them hold could not be looked up.',
  )
  expect(sentence([settings], { couldNotLook })).toContain(
    'Not everything about this could be looked up.',
  )
})

test('nothing looked up at all never reads as nothing to lose', () => {
  const action = awsAction(
    'rds:DeleteDBCluster',
    {},
    ['destroy'],
    'arn:aws:rds:eu-west-1:123456789012:cluster:orders',
  )
  const evidence = { ...NO_EVIDENCE, couldNotLook: ['no look-up exists for rds yet'] }
  expect(summarise(action, evidence)).toBe(
    'This would delete or lose data of `cluster:orders`. What it holds could not be looked up.',
  )
})

test('each effect has words where there are no findings', () => {
  const said = (effect: Effect, arn?: string) =>
    summarise(awsAction('s3:Anything', {}, [effect], arn), NO_EVIDENCE)
  expect(said('list')).toBe('This would list something in s3.')
  expect(said('read')).toBe('This would read something in s3.')
  expect(said('tag', 'arn:aws:s3:::reports')).toBe('This would change tags of `reports`.')
  expect(said('write')).toBe('This would change something in s3.')
  expect(said('stop')).toBe('This would stop something in s3.')
  expect(said('replace')).toBe('This would replace something in s3.')
  expect(said('permissions')).toBe('This would change who may do what with something in s3.')
  expect(said('opaque')).toBe(
    'This would run something that cannot be seen from here on something in s3.',
  )
  expect(said('destroy')).toBe('This would delete or lose data of something in s3.')
  expect(said('unknown')).toBe(
    'This would do something that nobody has classified to something in s3.',
  )
})

test('the strictest effect speaks, added ones included', () => {
  const action = awsAction('s3:PutObject', {}, ['write'])
  expect(summarise(action, { ...NO_EVIDENCE, addedEffects: ['destroy'] })).toBe(
    'This would delete or lose data of something in s3.',
  )
})

test('fates are said apart, the worst first', () => {
  const findings = [
    row('new', { fate: 'created', holds: '–', holdsData: false }),
    row('old', { fate: 'replaced' }),
    settings,
    row('kept', { ...role, fate: 'changed' }),
  ]
  expect(sentence(findings)).toMatch(
    /^This would delete table `settings`, replace table `old`, change role `reader` and create table `new`\./,
  )
})

test('a thing that is only created loses nothing', () => {
  const created = row('new', { fate: 'created', holds: '–', holdsData: false, undo: 'yes' })
  expect(sentence([created])).toBe('This would create table `new`.')
})

test('a thing that is not there is said so', () => {
  const absent = row('gone', { holds: 'nothing: it does not exist', holdsData: false, undo: 'yes' })
  expect(sentence([absent])).toBe('There is no table `gone`, so this would change nothing or fail.')
  expect(sentence([absent, settings])).toMatch(/^This would delete table `settings`\. /)
})

test('protection is said, for it may make this fail', () => {
  const guarded = row('a', { protectedFromDeletion: true })
  expect(sentence([guarded])).toContain('It is protected from deletion, so this may fail.')
  expect(sentence([guarded, settings])).toContain('1 is protected from deletion.')
  expect(sentence([settings])).not.toContain('protected')
})

test('what the rows do not show is said: rights, parts that act by themselves, the unclassified', () => {
  const changed = row('reader', { ...role, fate: 'changed' })
  expect(sentence([changed], { addedEffects: ['permissions'] })).toContain(
    'It would change who may do what.',
  )
  expect(sentence([role], { addedEffects: ['permissions'] })).not.toContain('who may do what')
  expect(sentence([role], { addedEffects: ['opaque'] })).toContain(
    'Part of what it would do cannot be seen from here.',
  )
  expect(sentence([role], { addedEffects: ['unknown'] })).toContain(
    'Part of it nobody has classified.',
  )
})

test('a name cannot forge a sentence', () => {
  const forged = row('x`. Nothing is lost.\nIt is safe', {})
  expect(sentence([forged])).toMatch(
    /^This would delete table `x\\u\{60\}\. Nothing is lost\.\\u\{a\}It is safe`\. /,
  )
})

test('what is there now is pointed to only where it is shown', () => {
  const changed = row('settings · report=august', { type: 'item', fate: 'changed', undo: 'yes' })
  expect(sentence([changed], { before: { items: [] } })).toBe(
    'This would change item `settings · report=august`. It holds 12 items · 900 bytes. It can be undone. What is there now is shown below.',
  )
  expect(sentence([changed], { before: null })).not.toContain('shown')
})
