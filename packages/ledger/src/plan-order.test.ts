// What a stranger checks of a plan: every way in which its intents may not be what was signed.
import { expect, test } from 'vitest'
import { PlanOrder } from './plan-order.ts'

const opened = { type: 'plan-opened', request: 'p', steps: [{ digest: 'a' }, { digest: 'b' }] }
const approved = { type: 'plan-approved', request: 'p', grant: 'g' }
const intent = (step: number, digest: string, effect = `e${step}`, grant = 'g') => {
  return { type: 'intent', effect, grant, digest, plan: { plan: 'p', step } }
}
const outcome = (effect: string, result = 'succeeded') => {
  return { type: 'outcome', effect, outcome: { result } }
}

/** What the last entry is answered; all before it must fit. */
function last(...entries: readonly object[]): string | null {
  const order = new PlanOrder()
  const answers = entries.map((entry) => order.take(entry as Record<string, unknown>))
  expect(answers.slice(0, -1).every((answer) => answer === null)).toBe(true)
  return answers.at(-1) ?? null
}

test('steps in order, each after the one before ended well, fit; and so does what is of no plan', () => {
  const first = [opened, approved, intent(1, 'a'), outcome('e1')]
  expect(last(...first, intent(2, 'b'))).toBe(null)
  expect(last(...first, { type: 'intent', effect: 'x', digest: 'z', grant: null })).toBe(null)
})

test('a step not approved, swapped, repeated, early, after a failure or after the stop does not', () => {
  const first = [opened, approved, intent(1, 'a'), outcome('e1')]
  expect(last(opened, intent(1, 'a'))).toContain('nobody approved')
  expect(last(opened, approved, intent(1, 'a', 'e1', 'other'))).toContain('nobody approved')
  expect(last(opened, approved, intent(2, 'b'))).toContain('out of order')
  expect(last(opened, approved, intent(1, 'b'))).toContain('not the one signed')
  expect(last(...first, intent(1, 'a', 'again'))).toContain('made again')
  expect(last(opened, approved, intent(1, 'a'), intent(2, 'b'))).toContain('ended well')
  expect(last(opened, approved, intent(1, 'a'), outcome('e1', 'failed'), intent(2, 'b'))).toContain(
    'ended well',
  )
  expect(last(...first, { type: 'plan-stopped', plan: 'p' }, intent(2, 'b'))).toContain('stopped')
  expect(last(...first, { type: 'grant-revoked', request: 'p' }, intent(2, 'b'))).toContain(
    'stopped',
  )
  expect(last(...first, intent(3, 'c'))).toContain('out of order')
})
