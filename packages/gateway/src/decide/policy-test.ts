// Policy cases: a request, and what the policies are expected to answer, as data that a policy
// author can add without programming. Also `explain`: which policies decided what, part by part.
// Both ask the same code as the gate; neither changes anything.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { z } from 'zod'
import type { Action, Effect, Resource } from '../describe/action.ts'
import { type Evidence, NO_EVIDENCE } from '../resolve/evidence.ts'
import {
  decide,
  decideInquiry,
  decideWithReviewers,
  openInquiry,
  refusingFaults,
} from './decide.ts'
import type { DecideContext, Decision } from './decision.ts'
import { PolicyError } from './errors.ts'
import type { PolicySet } from './policy-set.ts'

/** UTF-8 bytes of one case file, and cases in it. */
export const CASE_FILE_BYTES_MAX = 1024 * 1024
export const CASES_MAX = 2_000

const text = z.string().max(8_192)
const effect = z.enum(EFFECTS_BY_STRICTNESS as readonly [Effect, ...Effect[]])

const resource = z.strictObject({
  arn: text.optional(),
  type: text.optional(),
  account: text.optional(),
  region: text.optional(),
  environment: text.optional(),
  resolved: z.boolean().optional(),
})

const request = z.strictObject({
  door: z.enum(['aws', 'mcp', 'shell', 'plan']).optional(),
  operation: text.optional(),
  iamActions: z.array(text).optional(),
  resources: z.array(resource).optional(),
  effects: z.array(effect),
  reveals: z.enum(['nothing', 'data', 'secret', 'credential']).optional(),
  recoverable: z.enum(['yes', 'from-backup', 'no', 'unknown']).optional(),
  service: text.optional(),
  account: text.optional(),
  region: text.optional(),
  /** It touches what the gate stands on (M13); it reaches accounts outside of the configuration (M8). */
  ownLimbs: z.boolean().optional(),
  outsideAccounts: z.boolean().optional(),
  context: z
    .strictObject({
      agent: text.optional(),
      operator: text.optional(),
      role: text.optional(),
      isolation: z.enum(['host', 'user', 'sandbox', 'none']).optional(),
      breakGlass: z.boolean().optional(),
    })
    .optional(),
  /** People who approved: the answer is then what the gate would say at the grant. */
  reviewers: z
    .array(
      z.strictObject({
        name: text,
        teams: z.array(text),
        /** Left out: `hardware`. */
        strength: z.enum(['software', 'hardware']).default('hardware'),
      }),
    )
    .optional(),
})

const policyCase = z.strictObject({
  name: text.min(1),
  request,
  expect: z.strictObject({
    answer: z.enum(['allow', 'review', 'deny']),
    requirement: z.array(text).optional(),
    policies: z.array(text).optional(),
    code: text.optional(),
  }),
})

const caseFile = z.array(policyCase).max(CASES_MAX)

/**
 * One case. What `request` leaves out is a resolved DynamoDB table of account 123456789012 in
 * production, asked for through the aws door by an agent on a user of its own; `effects` must be
 * said. `requirement` and `policies` are compared as sets, and only where they are given.
 */
export interface PolicyCase extends z.infer<typeof policyCase> {
  readonly file: string
}

export interface CaseResult {
  readonly file: string
  readonly name: string
  readonly passed: boolean
  readonly decision: Decision
  /** What differs from what was expected, one sentence each; empty when passed. */
  readonly differences: readonly string[]
}

/** The cases of one `*.case.json`: an object or an array. Throws PolicyError `case_invalid`. */
export function parseCases(file: string, json: string): PolicyCase[] {
  if (Buffer.byteLength(json) > CASE_FILE_BYTES_MAX) {
    throw caseInvalid(file, `the file is larger than ${CASE_FILE_BYTES_MAX} bytes`)
  }
  const value = parseJson(file, json)
  const parsed = caseFile.safeParse(Array.isArray(value) ? value : [value])
  if (parsed.success) return parsed.data.map((one) => ({ file, ...one }))
  throw caseInvalid(file, z.prettifyError(parsed.error).replaceAll('\n', ' '))
}

/** Each case put to the policy set, in order. */
export function runCases(policySet: PolicySet, cases: readonly PolicyCase[]): CaseResult[] {
  return cases.map((one) => {
    const { reviewers } = one.request
    const action = actionOf(one)
    const context = contextOf(one)
    const decision =
      reviewers === undefined
        ? decide(action, NO_EVIDENCE, context, policySet)
        : decideWithReviewers(action, NO_EVIDENCE, context, policySet, reviewers)
    const differences = differencesOf(one.expect, decision)
    return {
      file: one.file,
      name: one.name,
      passed: differences.length === 0,
      decision,
      differences,
    }
  })
}

/** What decided one effect on one resource. */
export interface ExplainedPart {
  readonly effect: Effect
  readonly resource: string
  /** The environment it was decided in, which may be stricter than the resource's own. */
  readonly environment: string
  readonly decision: Decision
}

export interface Explanation {
  readonly decision: Decision
  /** One part for each effect on each resource that policy can tell apart; empty when refused. */
  readonly parts: readonly ExplainedPart[]
}

/** The Decision on an Action, with the Decision each part of it would have had alone. */
export function explain(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
): Explanation {
  const decision = decide(action, evidence, context, policySet)
  const parts: ExplainedPart[] = []
  refusingFaults(() => {
    const inquiry = openInquiry(action, evidence, context, policySet)
    if ('answer' in inquiry) return inquiry
    for (const question of inquiry.questions) {
      const alone = { ...inquiry, questions: [question] }
      parts.push({
        effect: question.effect,
        resource: question.resource.arn,
        environment: question.environment,
        decision: refusingFaults(() => decideInquiry(alone)),
      })
    }
    return decision
  })
  return { decision, parts }
}

const CASE_RESOURCE: Resource = {
  arn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
  type: 'table',
  account: '123456789012',
  region: 'eu-west-1',
  environment: 'production',
  resolved: true,
}

function actionOf({ request }: PolicyCase): Action {
  return {
    door: request.door ?? 'aws',
    operation: request.operation ?? 'dynamodb:UpdateTable',
    iamActions: request.iamActions ?? [request.operation ?? 'dynamodb:UpdateTable'],
    resources: (request.resources ?? [{}]).map((changes) => ({
      ...CASE_RESOURCE,
      ...given(changes),
    })),
    effects: request.effects,
    reveals: request.reveals ?? 'nothing',
    recoverable: request.recoverable ?? 'unknown',
    service: request.service ?? 'dynamodb',
    account: request.account ?? CASE_RESOURCE.account,
    region: request.region ?? CASE_RESOURCE.region,
    parameters: {},
    body: null,
    ...(request.ownLimbs && { ownLimbs: ['said by the case'] }),
    ...(request.outsideAccounts && { outside: ['said by the case'] }),
  }
}

function contextOf({ request: { context } }: PolicyCase): DecideContext {
  return {
    agent: context?.agent ?? 'an-agent',
    operator: context?.operator ?? 'an-operator',
    role: context?.role ?? 'a-role',
    isolation: context?.isolation ?? 'user',
    breakGlass: context?.breakGlass ?? false,
  }
}

/** The members that are there: spreading an undefined one would erase what it stands over. */
function given(changes: z.infer<typeof resource>): Partial<Resource> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

function differencesOf(expected: PolicyCase['expect'], decision: Decision): string[] {
  const differences: string[] = []
  const compare = (name: string, wanted: readonly string[], found: readonly string[]) => {
    const [left, right] = [[...wanted].sort().join(' '), [...found].sort().join(' ')]
    if (left !== right) differences.push(`${name}: expected \`${left}\`, found \`${right}\``)
  }
  compare('answer', [expected.answer], [decision.answer])
  if (expected.requirement !== undefined) {
    compare(
      'requirement',
      expected.requirement,
      'requirement' in decision ? decision.requirement : [],
    )
  }
  if (expected.policies !== undefined) compare('policies', expected.policies, decision.policies)
  if (expected.code !== undefined) {
    compare('code', [expected.code], 'code' in decision ? [decision.code] : [])
  }
  return differences
}

function parseJson(file: string, json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw caseInvalid(file, 'the file is not JSON', cause)
  }
}

function caseInvalid(file: string, message: string, cause?: unknown): PolicyError {
  const help = 'see policies/README.md for the form of a case'
  return new PolicyError({ code: 'case_invalid', file, message, help }, cause)
}
