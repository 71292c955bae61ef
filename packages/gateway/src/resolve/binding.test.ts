import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bindingRead, canonical, hashOf, sameBinding } from './binding.ts'
import { type Evidence, NO_EVIDENCE } from './evidence.ts'

const evidence = (binding: Evidence['binding'], more: Partial<Evidence> = {}): Evidence => ({
  ...NO_EVIDENCE,
  binding,
  ...more,
})

test('a binding is read when no part of it is marked unread, at any depth', () => {
  expect(bindingRead(evidence({}))).toBe(true)
  expect(bindingRead(evidence({ table: { name: 'unread' } }))).toBe(true)
  expect(bindingRead(evidence({ table: { unread: 'access denied' } }))).toBe(false)
  expect(bindingRead(evidence({ items: [{ sha256: 'x' }, { unread: 'no answer' }] }))).toBe(false)
})

test('the same binding in another order of keys is the same; one letter makes it another', () => {
  const a = evidence({ table: { name: 'orders', tableId: 'x' } })
  expect(sameBinding(a, evidence({ table: { tableId: 'x', name: 'orders' } }))).toBe(true)
  expect(sameBinding(a, evidence({ table: { tableId: 'y', name: 'orders' } }))).toBe(false)
})

test('an effect that was not there is a difference, whatever the binding says', () => {
  const a = evidence({}, { addedEffects: ['write'] })
  expect(sameBinding(a, evidence({}, { addedEffects: ['write'] }))).toBe(true)
  expect(sameBinding(a, evidence({}, { addedEffects: ['write', 'destroy'] }))).toBe(false)
})

test('findings and sentences are advice and make no difference', () => {
  const a = evidence({ x: 1 }, { couldNotLook: ['no'] })
  expect(sameBinding(a, evidence({ x: 1 }))).toBe(true)
})

test('read and unread are never the same; unread twice for the same reason is', () => {
  const read = evidence({ table: { name: 'orders', tableId: 'x' } })
  const unread = evidence({ table: { name: 'orders', unread: 'no answer' } })
  expect(sameBinding(read, unread)).toBe(false)
  expect(sameBinding(unread, read)).toBe(false)
  expect(sameBinding(unread, evidence({ table: { name: 'orders', unread: 'no answer' } }))).toBe(
    true,
  )
})

test('canonical JSON sorts keys by UTF-16 code units and escapes as ECMAScript does', () => {
  // Source: RFC 8785 section 3.2.3, the sorting example (its keys, with numbers for values).
  const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, ö: 7 }
  expect(canonical(keys)).toBe(
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
  )
  expect(canonical([null, true, 'a"b', [], {}])).toBe('[null,true,"a\\"b",[],{}]')
})

test('the hash is the SHA-256 of the canonical text', () => {
  const expected = createHash('sha256').update('{"a":1,"b":[2]}').digest('hex')
  expect(hashOf({ b: [2], a: 1 })).toBe(expected)
  expect(hashOf({ b: [3], a: 1 })).not.toBe(expected)
})
