import { expect, test } from 'vitest'
import { isId, randomId } from './ids.ts'

test('an id is its prefix and 26 digits of Crockford base 32', () => {
  for (let round = 0; round < 200; round += 1) {
    const id = randomId('req')
    expect(id).toMatch(/^req-[0-7][0123456789abcdefghjkmnpqrstvwxyz]{25}$/)
    expect(isId(id)).toBe(true)
    expect(isId(id, 'req')).toBe(true)
    expect(isId(id, 'ses')).toBe(false)
  }
})

test('no two ids of ten thousand are equal, and every digit takes many values', () => {
  const ids = Array.from({ length: 10_000 }, () => randomId('s'))
  expect(new Set(ids).size).toBe(ids.length)
  for (let at = 2; at < 28; at += 1) {
    expect(new Set(ids.map((id) => id[at])).size).toBe(at === 2 ? 8 : 32)
  }
})

test('what is not exactly an id is none', () => {
  const digits = '0123456789abcdefghjkmnpqrs'
  expect(isId(`req-${digits}`)).toBe(true)
  for (const text of [
    '',
    'req',
    `req-${digits}t`,
    `req-${digits.slice(1)}`,
    `req-${digits}\n`,
    `REQ-${digits}`,
    `req-8${digits.slice(1)}`,
    `req-${digits.slice(0, 25)}i`,
    `req-${digits.slice(0, 25)}l`,
    `req-${digits.slice(0, 25)}o`,
    `req-${digits.slice(0, 25)}u`,
    `req-${digits.slice(0, 25)}S`,
    `-${digits}`,
    `../req-${digits}`,
  ]) {
    expect(isId(text), text).toBe(false)
  }
})

test('a prefix of sixteen letters passes and a longer or other one does not', () => {
  expect(isId(randomId('a'.repeat(16)))).toBe(true)
  for (const prefix of ['', 'a'.repeat(17), 'A', '1a', 'a-b', 'a b']) {
    expect(() => randomId(prefix)).toThrow(TypeError)
  }
})
