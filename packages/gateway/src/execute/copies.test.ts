// Copies past the most that are kept: the oldest that has ended goes, never one that is under way.
import { expect, test } from 'vitest'
import { COPIES_MAX, Copies, type Performed, SIGNATURE_COPY_MS } from './copies.ts'

const done: Performed = {
  reply: { status: 200, headers: [], body: new Uint8Array() },
  executed: true,
  mayBeKept: true,
}

function counted() {
  let nowMs = 0
  let performed = 0
  const copies = new Copies({ nowMs: () => nowMs })
  const call = (key: string, work: () => Promise<Performed> = async () => done) =>
    copies.join([key], () => {
      performed += 1
      return work()
    })
  return {
    call,
    count: () => performed,
    advance: (ms: number) => {
      nowMs += ms
    },
  }
}

test('a copy is answered, not performed, for its time and no longer', async () => {
  const { call, count, advance } = counted()
  await call('a')
  await call('a')
  advance(SIGNATURE_COPY_MS - 1)
  await call('a')
  expect(count()).toBe(1)
  advance(1)
  await call('a')
  expect(count()).toBe(2)
})

test('when it is full the oldest that has ended is forgotten, and one under way never', async () => {
  const { call, count } = counted()
  let finish: (performed: Performed) => void = () => undefined
  const slow = call('slow', () => new Promise((resolve) => (finish = resolve)))
  for (let index = 0; index < COPIES_MAX + 10; index += 1) await call(`call ${index}`)
  const before = count()
  const copy = call('slow')
  await call(`call ${COPIES_MAX + 9}`)
  expect(count()).toBe(before)
  await call('call 0')
  expect(count()).toBe(before + 1)
  finish(done)
  expect(await copy).toBe(await slow)
})

test('what is past its time makes room all at once', async () => {
  const { call, count, advance } = counted()
  for (let index = 0; index < COPIES_MAX; index += 1) await call(`old ${index}`)
  advance(SIGNATURE_COPY_MS)
  for (let index = 0; index < COPIES_MAX - 1; index += 1) await call(`new ${index}`)
  const before = count()
  for (let index = 0; index < COPIES_MAX - 1; index += 1) await call(`new ${index}`)
  expect(count()).toBe(before)
})
