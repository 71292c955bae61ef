// Turns an UpdateStack that would need a review into "make a change set first": what an update does is
// only known from a change set, and a review of the name alone would be of nothing. Pure; no value of a
// parameter is ever repeated, for it may be a secret (NoEcho).
// Source: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/create-change-set.html
import type { Json } from '@seconder/aws/call'
import type { Decision } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'

/** Parameters named one by one; of more the command only says that they go on. */
export const PARAMETERS_NAMED_MAX = 40
const NAME = 'for-review'

type Refused = Exclude<Decision, { answer: 'allow' }>

/** The denial with the exact commands in place of a review of UpdateStack; else what was decided. */
export function changeSetFirst(action: Action, decision: Refused): Refused {
  const isUpdate = action.door === 'aws' && action.operation === 'cloudformation:UpdateStack'
  if (decision.answer === 'deny' || !isUpdate) return decision
  const { parameters, region } = action
  const stack = ['--stack-name', word(parameters['StackName'])]
  const here = ['--region', region]
  const named = ['--change-set-name', NAME]
  const make = [
    'aws cloudformation create-change-set',
    ...stack,
    ...named,
    ...templateOf(action),
    ...parametersOf(parameters['Parameters']),
    ...listOf('--capabilities', parameters['Capabilities']),
    ...(typeof parameters['RoleARN'] === 'string'
      ? ['--role-arn', word(parameters['RoleARN'])]
      : []),
    ...here,
  ].join(' ')
  const look = ['aws cloudformation describe-change-set', ...stack, ...named, ...here].join(' ')
  const run = ['aws cloudformation execute-change-set', ...stack, ...named, ...here].join(' ')
  return {
    answer: 'deny',
    code: 'change_set_first',
    policies: [],
    reason:
      'what an update would do is not known before, so nobody can review it: make a change set first, ' +
      `then execute that. Write your own values where VALUE stands. 1) ${make} 2) ${look} 3) ${run}`,
  }
}

function templateOf({ parameters }: Action): string[] {
  const address = parameters['TemplateURL']
  // What stands behind a question mark may sign the address.
  if (typeof address === 'string') return ['--template-url', word(address.split('?', 1)[0])]
  if (parameters['TemplateBody'] !== undefined) return ['--template-body', 'file://VALUE']
  return ['--use-previous-template']
}

function parametersOf(value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : []
  if (list.length === 0) return []
  const words = list.slice(0, PARAMETERS_NAMED_MAX).map((each: Json) => {
    const one = each !== null && typeof each === 'object' ? (each as Record<string, Json>) : {}
    const key = word(one['ParameterKey'])
    return one['UsePreviousValue'] === true
      ? `ParameterKey=${key},UsePreviousValue=true`
      : `ParameterKey=${key},ParameterValue=VALUE`
  })
  return ['--parameters', ...words, ...(list.length > PARAMETERS_NAMED_MAX ? ['...'] : [])]
}

function listOf(option: string, value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : []
  return list.length === 0 ? [] : [option, ...list.slice(0, PARAMETERS_NAMED_MAX).map(word)]
}

/** A word that a shell takes as it stands; anything else is the caller's to write. */
function word(value: Json | undefined): string {
  return typeof value === 'string' && /^[A-Za-z0-9_.:/@+=,-]{1,1024}$/.test(value) ? value : 'VALUE'
}
