import { expect, test } from 'vitest'
import { closedInTurn } from './closing.ts'

test('what cannot be closed keeps nothing else open, and is told', async () => {
  const closed: number[] = []
  const closing = [0, 1, 2].map((one) => async () => {
    closed.push(one)
    if (one === 2) throw new Error('it is stuck')
  })
  await expect(closedInTurn(closing)).rejects.toThrow('it is stuck')
  expect(closed).toEqual([2, 1, 0])
})
