// The denial of UpdateStack: no value of a parameter in it, and nothing that a shell would read.
import { expect, test } from 'vitest'
import type { Action, JsonObject } from '../describe/action.ts'
import { changeSetFirst, PARAMETERS_NAMED_MAX } from './change-set-first.ts'

const REVIEW = { answer: 'review', requirement: ['any:1'], policies: [], reason: 'r' } as const

function update(parameters: JsonObject, operation = 'cloudformation:UpdateStack') {
  const action = { door: 'aws', operation, region: 'eu-west-1', parameters } as Action
  const { answer, reason } = changeSetFirst(action, REVIEW)
  return { answer, reason }
}

test('only a review of UpdateStack is turned; a deny and other calls stand', () => {
  expect(update({ StackName: 's' }).answer).toBe('deny')
  expect(update({ StackName: 's' }, 'cloudformation:CreateStack').answer).toBe('review')
  const action = { door: 'aws', operation: 'cloudformation:UpdateStack' } as Action
  const deny = { answer: 'deny', code: 'c', policies: [], reason: 'no' } as const
  expect(changeSetFirst(action, deny)).toBe(deny)
})

test('words that a shell would read are never repeated', () => {
  const { reason } = update({
    StackName: 's; rm -rf /',
    TemplateURL: "https://b.s3.amazonaws.com/$(id)'",
    Parameters: [{ ParameterKey: '`id`', ParameterValue: 'secret-value' }, 'odd', null],
    Capabilities: ['$(id)'],
    RoleARN: 'a b',
  })
  expect(reason).not.toMatch(/rm -rf|\$\(|`|secret-value|a b/)
  expect(reason).toContain('--stack-name VALUE')
})

test('many parameters are named up to the limit, and that there are more is said', () => {
  const many = (count: number) =>
    update({
      StackName: 's',
      Parameters: Array.from({ length: count }, (_, at) => ({ ParameterKey: `P${at}` })),
    }).reason
  expect(many(PARAMETERS_NAMED_MAX)).not.toContain('...')
  expect(many(PARAMETERS_NAMED_MAX + 1)).toContain('...')
})
