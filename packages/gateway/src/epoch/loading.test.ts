import { expect, test } from 'vitest'
import type { ActiveEpoch } from './active.ts'
import { EpochLoading } from './loading.ts'

test('an epoch that many find at once is loaded once; what failed is tried again', async () => {
  const asked: number[] = []
  const loading = new EpochLoading(async ({ number }) => {
    asked.push(number)
    if (asked.length === 2) throw new Error('not now')
    return { number } as ActiveEpoch
  })
  const row = (number: number) => ({ number, version: '', content: '', activatedAtMs: 0 })
  const many = await Promise.all([1, 1, 1].map((number) => loading.load(row(number))))
  expect(many.map(({ number }) => number)).toEqual([1, 1, 1])
  const failing = [loading.load(row(2)), loading.load(row(2))]
  for (const one of await Promise.allSettled(failing)) expect(one.status).toBe('rejected')
  expect((await loading.load(row(2))).number).toBe(2)
  expect(asked).toEqual([1, 2, 2])
})
