import { expect, test } from 'vitest'
import { bindingRead, sameBinding } from './binding.ts'
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
