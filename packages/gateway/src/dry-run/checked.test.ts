// What a client may show and name: the dry run of the version that is signed, against the epoch that it replaces.
import { expect, test } from 'vitest'
import { sha256Hex } from '../lib/canonical-json.ts'
import { checkedDryRun, hashedDryRun } from './checked.ts'

const OF = { from: 3, version: 'ab'.repeat(32) }
const kept = (said: object) => {
  const text = JSON.stringify({ format: 'seconder-dry-run@v1', ...OF, ...said })
  return { text, digest: sha256Hex(text) }
}

test('a dry run of this version, against this epoch, is shown', () => {
  expect(checkedDryRun(kept({ calls: 7 }), OF)).toMatchObject({ ...OF, calls: 7 })
})

test.each([
  ['of another version', { version: 'ac'.repeat(32) }],
  ['against another epoch', { from: 2 }],
  ['of another format', { format: 'seconder-dry-run@v2' }],
])('one %s is not', (_, said) => {
  expect(() => checkedDryRun(kept(said), OF)).toThrow('of another version')
})

test('one that is not what its digest names is not, whatever it is of', () => {
  const { text } = kept({})
  const other = { text: `${text} `, digest: sha256Hex(text) }
  expect(() => checkedDryRun(other, OF)).toThrow('another dry run than the one it names')
  expect(() => hashedDryRun(other)).toThrow('another dry run than the one it names')
})
