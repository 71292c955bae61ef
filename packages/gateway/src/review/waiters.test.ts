// What lets go of a held call: a word of its request, a look of its own where no word comes, and the gate's end.
import { expect, test } from 'vitest'
import { Waiters } from './waiters.ts'

/** Longer than a test may take: what ends here was woken. */
const HOLD_MS = 3_600_000

function held(waiters: Waiters) {
  let isOpen = true
  const done = waiters.hold('r-1', {
    ...{ owner: 's', holdMs: HOLD_MS },
    isOpen: async () => isOpen,
  })
  const end = () => {
    isOpen = false
  }
  return { done, end }
}

test('a held call goes on when its request ended at another gateway, of which no word came', async () => {
  const { done, end } = held(new Waiters())
  end()
  await done
})

test('a word of a request is no answer: the call goes on when the state says so', async () => {
  const waiters = new Waiters()
  const { done, end } = held(waiters)
  waiters.wake('r-1')
  await new Promise((resolve) => setImmediate(resolve))
  expect(waiters.held.depth).toBe(1)
  end()
  waiters.wake('r-1')
  await done
  expect(waiters.held.depth).toBe(0)
})
