import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.ts'

const VALUE = 'wJalrXUtnFEMI-EXAMPLE'

test('a secret prints as redacted in string, JSON and inspect', () => {
  const secret = new Secret(VALUE)
  const printed = [
    String(secret),
    `${secret}`,
    `a ${secret as unknown as string}`,
    JSON.stringify({ deep: [secret] }),
    inspect({ deep: { deeper: { deepest: secret } } }, { depth: 9, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    new Error(`failed with ${secret}`).message,
  ]
  for (const text of printed) {
    expect(text).toContain('[redacted]')
    expect(text).not.toContain(VALUE)
  }
})

test('no key, copy or clone of a secret holds the value', () => {
  const secret = new Secret(VALUE)
  expect(Reflect.ownKeys(secret)).toEqual([])
  expect(inspect({ ...secret })).not.toContain(VALUE)
  expect(inspect(structuredClone(secret))).not.toContain(VALUE)
})

test('only reveal gives the value, text or bytes', () => {
  expect(new Secret(VALUE).reveal()).toBe(VALUE)
  expect(new Secret(Uint8Array.of(1, 2)).reveal()).toEqual(Uint8Array.of(1, 2))
  expect(inspect(new Secret(Buffer.from(VALUE)))).toBe('[redacted]')
})
