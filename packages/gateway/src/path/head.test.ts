// How HEAD and GET are decided together: each pair of answers, and the secrets that are never softened.
import { expect, test } from 'vitest'
import type { Decision } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { getTwin, headDecision } from './head.ts'

const ALLOW: Decision = { answer: 'allow', policies: ['a'] }
const REVIEW: Decision = { answer: 'review', requirement: ['any:1'], policies: ['r'], reason: 'r' }
const DENY: Decision = { answer: 'deny', code: 'denied_by_policy', policies: ['d'], reason: 'd' }

function look(reveals: Action['reveals'], effects: Action['effects'] = ['read']): Action {
  return { operation: 's3:HeadObject', reveals, effects } as Action
}

test('the stricter answer holds, and only a review becomes an allow that says so', () => {
  const answers = [ALLOW, REVIEW, DENY].flatMap((own) =>
    [ALLOW, REVIEW, DENY].map((its) => {
      const { answer, softened } = headDecision([look('data'), own], [look('data'), its])
      return `${own.answer}+${its.answer}=${answer}${softened ? ` (${softened})` : ''}`
    }),
  )
  expect(answers).toEqual([
    'allow+allow=allow',
    'allow+review=allow (review)',
    'allow+deny=deny',
    'review+allow=allow (review)',
    'review+review=allow (review)',
    'review+deny=deny',
    'deny+allow=deny',
    'deny+review=deny',
    'deny+deny=deny',
  ])
})

test('M14 what shows a secret, or does more than read, is held as its GET is', () => {
  for (const [head, twin] of [
    [look('secret'), look('data')],
    [look('data'), look('secret')],
    [look('data'), look('credential')],
    [look('data'), look('data', ['read', 'write'])],
    [look('data', ['unknown']), look('data')],
  ] as const) {
    expect(headDecision([head, REVIEW], [twin, REVIEW])).toMatchObject({ answer: 'review' })
  }
})

test('only a HEAD has a twin, and none where there is no such GET', () => {
  const request = { method: 'HEAD', target: '/b/k', headers: [], body: new Uint8Array() }
  expect(getTwin(request, ({ method }) => look(method === 'GET' ? 'data' : 'secret'))).toEqual(
    look('data'),
  )
  expect(getTwin({ ...request, method: 'GET' }, () => look('data'))).toBeUndefined()
  const unknown = () => {
    throw new Error('no such operation')
  }
  expect(getTwin(request, unknown)).toBeUndefined()
})
