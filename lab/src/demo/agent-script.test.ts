import { expect, test } from 'vitest'
import { type Move, nextMove, type Step, type ToolName } from './agent-script.ts'

const REQUEST = 'r-54szqh3mh8t2dw7c0m9tckv3b7'
const FOUND: Partial<Record<ToolName, string>> = {
  readStack: '{"status":"CREATE_COMPLETE","bucket":"exports","table":"settings","template":"{}"}',
  readSettings:
    '[{"month":"2025-08","factor":"0.93"},{"month":"2026-08","factor":"9.3"},{"month":"2026-09","factor":"0.93"}]',
  readReport: '{"month":"2026-08","billed":"1765.7"}',
}
const HELD = `AccessDenied: Seconder held this call, nothing was done: it needs review. Request ${REQUEST} is open.`

/** Plays the script: each call is answered by the next of its tool's answers, the last one for good. */
function played(answers: Partial<Record<ToolName, readonly string[]>>): {
  calls: readonly string[]
  end: Move
} {
  const steps: Step[] = []
  for (let turn = 0; turn < 20; turn += 1) {
    const move = nextMove(steps)
    if (move.kind === 'say') return { calls: steps.map(({ tool }) => tool), end: move }
    const before = steps.filter(({ tool }) => tool === move.tool).length
    const given = answers[move.tool] ?? [FOUND[move.tool] ?? '{}']
    const result = given[Math.min(before, given.length - 1)] ?? '{}'
    steps.push({ tool: move.tool, input: move.input, result })
  }
  throw new Error('the script does not end')
}

const READS = ['readStack', 'readSettings', 'readReport']

test('a deletion that AWS accepts is followed by a stack made anew from the template that was read', () => {
  const { calls } = played({})
  expect(calls).toEqual([...READS, 'deleteStack', 'waitForStackGone', 'createStack'])
})

test('a held call is waited for, and the same call is made again once it is approved', () => {
  const { calls } = played({
    deleteStack: [HELD, '{"accepted":true}'],
    waitForReview: [`Seconder: request ${REQUEST} is approved. Run the same call again.`],
  })
  expect(calls.slice(3, 7)).toEqual([
    'deleteStack',
    'waitForReview',
    'deleteStack',
    'waitForStackGone',
  ])
})

test.each([
  `Seconder: bob requests changes to ${REQUEST}; nothing was done. They say: "change one item"`,
  `Seconder: request ${REQUEST} was denied by bob; nothing was done.`,
])('a deletion that people refuse leaves the one setting that differs: %s', (answer) => {
  const { calls, end } = played({ deleteStack: [HELD], waitForReview: [answer] })
  expect(calls).toEqual([...READS, 'deleteStack', 'waitForReview', 'updateSetting'])
  expect(end).toEqual({
    kind: 'say',
    text: 'The factor of 2026-08 is 0.93, as in the other months. Nothing else changed.',
  })
})

test('the fix is of the latest August, to the factor that most months have', () => {
  const done: Step[] = [
    { tool: 'readStack', input: {}, result: FOUND.readStack ?? '' },
    { tool: 'readSettings', input: {}, result: FOUND.readSettings ?? '' },
    { tool: 'readReport', input: {}, result: FOUND.readReport ?? '' },
    { tool: 'deleteStack', input: {}, result: 'AccessDenied: Seconder: bob requests changes' },
  ]
  expect(nextMove(done)).toMatchObject({
    tool: 'updateSetting',
    input: { table: 'settings', month: '2026-08', factor: '0.93' },
  })
})

test.each([
  ['expired', `Seconder: nobody answered request ${REQUEST} in time; nothing was done.`],
  ['cancelled', `Seconder: request ${REQUEST} was cancelled (session closed); nothing was done.`],
])('a request that is %s ends the work, and nothing else is tried', (_state, answer) => {
  const { calls, end } = played({ deleteStack: [HELD], waitForReview: [answer] })
  expect(calls.at(-1)).toBe('waitForReview')
  expect(end).toEqual({ kind: 'say', text: `I stop here. ${answer}` })
})

test('when the small fix is refused too, the agent stops and says why', () => {
  const refused = `Seconder: bob requests changes to ${REQUEST}; nothing was done.`
  const { calls, end } = played({
    deleteStack: [HELD],
    updateSetting: [HELD.replace('AccessDenied', 'AccessDeniedException')],
    waitForReview: [refused],
  })
  expect(calls.at(-1)).toBe('waitForReview')
  expect(end).toEqual({ kind: 'say', text: `I stop here. ${refused}` })
})

test('a refusal that is not of people is the end, not a reason to try another way', () => {
  const denied = 'AccessDenied: Seconder denied cloudformation:DeleteStack in production.'
  const { calls, end } = played({ deleteStack: [denied] })
  expect(calls.at(-1)).toBe('deleteStack')
  expect(end).toEqual({ kind: 'say', text: `I stop here. ${denied}` })
})

test('what cannot be read is not guessed', () => {
  const { calls, end } = played({ readSettings: ['ResourceNotFoundException: no such table'] })
  expect(calls).toEqual(['readStack', 'readSettings'])
  expect(end.kind).toBe('say')
})
