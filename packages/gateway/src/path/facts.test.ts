// The Action as policy is asked about it: evidence makes it stricter, never milder (red team H8).
import { expect, test } from 'vitest'
import type { Action } from '../describe/action.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { asDecided, withReaches } from './facts.ts'

const ACCOUNT = '123456789012'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`
const RULES = {
  environments: [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' as const }],
  roleReach: { [ROLE]: { environments: ['staging'] } },
}

const ACTION: Action = {
  door: 'aws',
  operation: 'lambda:Invoke',
  iamActions: ['lambda:InvokeFunction'],
  resources: [
    {
      arn: `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:f`,
      type: 'function',
      account: ACCOUNT,
      region: 'eu-west-1',
      environment: 'development',
      resolved: true,
    },
  ],
  effects: ['opaque'],
  reveals: 'data',
  recoverable: 'unknown',
  service: 'lambda',
  account: ACCOUNT,
  region: 'eu-west-1',
  parameters: {},
  body: null,
}

const environments = (action: Action) => action.resources.map(({ environment }) => environment)

test('H8 a role that acts adds every environment it reaches and takes none away', () => {
  const decided = asDecided(ACTION, { ...NO_EVIDENCE, actsUnder: [ROLE] }, RULES)
  expect(environments(decided)).toEqual(['development', 'development', 'staging'])
  const { reaches } = withReaches(ACTION, { ...NO_EVIDENCE, actsUnder: [ROLE] }, RULES)
  expect(reaches).toEqual([{ role: ROLE, environments: ['development', 'staging'] }])
  expect(asDecided(ACTION, NO_EVIDENCE, RULES)).toEqual(ACTION)
})

test('C6 a tag raises what it is on to production, and takes no other environment away', () => {
  const tagged = { ...NO_EVIDENCE, taggedProduction: true as const }
  expect(environments(asDecided(ACTION, tagged, RULES))).toEqual(['development', 'production'])
  expect(environments(asDecided(ACTION, { ...NO_EVIDENCE }, RULES))).toEqual(['development'])
})

test('H8 a role that should have been looked for and was not reaches production', () => {
  const held = { ...ACTION, holder: 'lambda-function' }
  expect(environments(asDecided(held, NO_EVIDENCE, RULES))).toContain('production')
  expect(environments(asDecided(held, { ...NO_EVIDENCE, actsUnder: [] }, RULES))).toEqual([
    'development',
  ])
})

test('H7 what was found inside joins effects, actions and answers, and keeps the worst', () => {
  const inner = {
    operation: 'iam:CreateAccessKey',
    at: 'States.A',
    role: ROLE,
    iamActions: ['iam:CreateAccessKey'],
    resources: [{ arn: `arn:aws:iam::${ACCOUNT}:user/ci`, type: 'user', resolved: true }],
    effects: ['permissions' as const],
    reveals: 'credential' as const,
    recoverable: 'no' as const,
    parameters: {},
    maskedPointers: [],
  }
  const decided = asDecided(ACTION, { ...NO_EVIDENCE, innerCalls: [inner] }, RULES)
  expect(decided).toMatchObject({ reveals: 'credential', recoverable: 'no' })
  expect(decided.effects).toEqual(['permissions', 'opaque'])
  expect(decided.iamActions).toEqual(['lambda:InvokeFunction', 'iam:CreateAccessKey'])
  expect(decided.resources.at(-1)).toMatchObject({ inner: true, environment: 'development' })
})
