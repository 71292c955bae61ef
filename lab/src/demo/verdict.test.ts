import type { Effect } from '@seconder/gateway/describe/action'
import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { ReviewDocument } from '@seconder/gateway/review/document'
import { expect, test } from 'vitest'
import { judge } from './verdict.ts'

const BUCKET: Finding = {
  type: 'bucket',
  name: 'exports',
  holds: '13 objects · 2.6 MB',
  holdsData: true,
  protectedFromDeletion: false,
  lastBackup: 'versions off',
  undo: 'no',
  fate: 'deleted',
}
const ITEM: Finding = {
  type: 'item',
  name: 'settings · month=2026-08',
  holds: '2 attributes · 46 bytes',
  holdsData: true,
  protectedFromDeletion: false,
  lastBackup: 'none',
  undo: 'yes',
  fate: 'changed',
}

/** The parts of a review document that the reviewer decides by. */
function shown(
  effects: readonly Effect[],
  findings: readonly Finding[],
  couldNotLook: readonly string[] = [],
): ReviewDocument {
  return { action: { effects }, evidence: { findings, couldNotLook } } as unknown as ReviewDocument
}

test('one item that can be undone is signed', () => {
  expect(judge(shown(['write'], [ITEM])).verdict).toBe('approve')
})

test('data that nothing can bring back is not, and the comment names it', () => {
  const { verdict, comment } = judge(shown(['destroy'], [BUCKET]))
  expect(verdict).toBe('request_changes')
  expect(comment).toContain('bucket exports (13 objects · 2.6 MB, versions off)')
})

test.each<[string, ReviewDocument]>([
  ['two items', shown(['write'], [ITEM, ITEM])],
  ['an item that cannot be undone', shown(['write'], [{ ...ITEM, undo: 'no' }])],
  ['an effect other than a write', shown(['write', 'permissions'], [ITEM])],
  ['something that could not be looked up', shown(['write'], [ITEM], ['no rights to look'])],
  ['nothing that was found', shown(['write'], [])],
  ['a bucket with a backup', shown(['destroy'], [{ ...BUCKET, undo: 'from-backup' }])],
])('%s is not signed', (_what, document) => {
  expect(judge(document).verdict).toBe('request_changes')
})
