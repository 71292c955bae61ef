// Deciding by IAM policies, on one core: the compiled evaluator on AWS's own managed policies, against one
// written plainly from the guide and against Cedar asked plainly about the same policies in its language.
// The sides must say the same of every question before any is timed.
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Json } from '@seconder/aws/call'
import { authorize, NO_POLICIES, type PolicySet } from '@seconder/aws/iam/authorize'
import { type NaiveRequest, naiveAnswer } from '@seconder/aws/iam/naive.fixture'
import { parsePolicy } from '@seconder/aws/iam/policy'
import type { IamRequest } from '@seconder/aws/iam/request'
import type { CedarCall, CedarModule } from '@seconder/gateway/decide/engine'
import { freshCedar } from '@seconder/gateway/decide/fresh-cedar'
import { startCpu } from './cpu-clock.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

const MANAGED = new URL('../../../shared/data/iam/aws-managed-policies.ndjson.gz', import.meta.url)
/** Policies that Cedar is given; one set of it each. */
const CEDAR_POLICIES = 100
/** Questions between two looks at the clock. */
const BATCH = 500

const ACCOUNT = '111122223333'
const QUESTIONS: readonly NaiveRequest[] = [
  ['s3:GetObject', 'arn:aws:s3:::data/key'],
  ['s3:DeleteBucket', 'arn:aws:s3:::data'],
  ['ec2:TerminateInstances', `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-0123456789abcdef0`],
  ['dynamodb:DeleteTable', `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`],
  ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/deploy`],
  ['logs:DeleteLogGroup', `arn:aws:logs:eu-west-1:${ACCOUNT}:log-group:a`],
  ['kms:ScheduleKeyDeletion', `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1`],
  ['rds:DescribeDBInstances', '*'],
].map(([action = '', resource = '']) => ({ action, resource, keys: {} }))

interface Managed {
  readonly name: string
  readonly document: Json
}

export const iamBench: Bench = async (options) => {
  const title = 'decisions by IAM policies, on one core'
  if (!existsSync(MANAGED)) {
    return { name: 'iam', title, rows: [], notes: ['skipped: the managed policies are not here'] }
  }
  const lines = gunzipSync(readFileSync(MANAGED)).toString('utf8').trim().split('\n')
  const managed = lines.map((line) => JSON.parse(line) as Managed)
  const plain = managed.filter(({ document }) => cedarText(document) !== null)
  const some = plain.slice(0, CEDAR_POLICIES)
  const large = managed.filter(({ name }) => name === 'ReadOnlyAccess')
  const rows = [
    ...rowsFor(`${managed.length.toLocaleString('en-US')} managed policies`, managed, options),
    ...rowsFor('ReadOnlyAccess, 83,000 characters', large, options),
    ...rowsFor(`${some.length} of them without conditions`, some, options, true),
  ]
  const notes = [
    `each policy is asked ${QUESTIONS.length} questions in turn, no context key told; rates are per second of CPU`,
    'peer naive: from the guide, a regular expression a pattern, nothing kept; in packages/aws/src/iam/naive.fixture.ts',
    'peer cedar: cedar-wasm `statefulIsAuthorized`, preparsed, no schema; actions and resources as `like` on two texts of the context',
    'limit: Cedar is asked only what its language says alike: no conditions, no variables, no `?`; its call crosses into WASM as JSON',
  ]
  return { name: 'iam', title, rows, notes }
}

interface Question {
  readonly request: IamRequest
  readonly plain: NaiveRequest
  readonly set: PolicySet
  readonly document: Json
  readonly cedarSet: string
}

function rowsFor(
  what: string,
  policies: readonly Managed[],
  options: BenchOptions,
  withCedar = false,
): Row[] {
  const questions = policies.flatMap(({ name, document }) => {
    const set = { ...NO_POLICIES, identity: [parsePolicy(document, 'identity', name)] }
    return QUESTIONS.map((plain) => ({
      request: requestOf(plain),
      plain,
      set,
      document,
      cedarSet: name,
    }))
  })
  const sides: Record<string, (question: Question) => string> = {
    ours: ({ request, set }) => authorize(request, set).answer,
    naive: ({ document, plain }) => naiveAnswer(document, plain),
  }
  if (withCedar) {
    const cedar = cedarOf(policies)
    sides['cedar'] = (question) => cedarAnswer(cedar, question)
  }
  expectAlike(questions, sides)
  const rates = measured(what, questions, sides, options)
  return Object.keys(sides)
    .filter((side) => side !== 'ours')
    .map((side) => row(`${what}: times the decisions of ${side}`, rates, side))
}

function requestOf({ action, resource }: NaiveRequest): IamRequest {
  const arn = `arn:aws:iam::${ACCOUNT}:role/deploy`
  const sessionArn = `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/s-1`
  return {
    principal: { kind: 'session', arn, sessionArn, account: ACCOUNT },
    action,
    resource,
    resourceAccount: ACCOUNT,
    context: { keys: new Map(), others: 'absent' },
  }
}

/** What the second evaluator cannot say, a variable without a value, is no question. */
function expectAlike(
  questions: readonly Question[],
  sides: Readonly<Record<string, (question: Question) => string>>,
): void {
  for (const question of questions) {
    const answers = Object.values(sides).map((side) => side(question))
    if (answers.includes('cannot say') || answers[0] === 'unknown') continue
    if (new Set(answers).size > 1) {
      throw new Error(`the sides differ on ${question.cedarSet}: ${answers.join(' ')}`)
    }
  }
}

function measured(
  what: string,
  questions: readonly Question[],
  sides: Readonly<Record<string, (question: Question) => string>>,
  { seconds, rounds, progress }: BenchOptions,
): Readonly<Record<string, readonly number[]>> {
  const rates: Record<string, number[]> = {}
  for (let round = -1; round < rounds; round += 1) {
    progress(`iam: ${what}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    for (const [side, ask] of Object.entries(sides)) {
      rates[side] ??= []
      const rate = rateOf(questions, ask, seconds)
      if (round >= 0) rates[side].push(rate)
    }
  }
  return rates
}

function rateOf(
  questions: readonly Question[],
  ask: (question: Question) => string,
  seconds: number,
): number {
  const usedSeconds = startCpu()
  const until = performance.now() + seconds * 1000
  let count = 0
  while (performance.now() < until) {
    for (let turn = 0; turn < BATCH; turn += 1) {
      const question = questions[count % questions.length]
      if (question !== undefined) ask(question)
      count += 1
    }
  }
  return count / usedSeconds()
}

function row(what: string, rates: Readonly<Record<string, readonly number[]>>, side: string): Row {
  const own = rates['ours'] ?? []
  const other = rates[side] ?? []
  return {
    what,
    ours: figure(own, '/s'),
    peer: figure(other, '/s'),
    peerName: side,
    ratio: quotient(own, other),
    aim: '',
    reached: null,
  }
}

/** The document as Cedar says it; null for what Cedar does not say alike. */
function cedarText(document: Json): string | null {
  const { Statement } = document as unknown as { Statement: Statement | Statement[] }
  const statements = Array.isArray(Statement) ? Statement : [Statement]
  const texts = statements.map((one) => {
    if (one.Condition !== undefined || one.NotAction !== undefined) return null
    if (one.NotResource !== undefined || JSON.stringify(one).includes('?')) return null
    const actions = likes(
      'action',
      listOf(one.Action).map((text) => text.toLowerCase()),
    )
    const resources = likes('resource', listOf(one.Resource))
    const effect = one.Effect === 'Allow' ? 'permit' : 'forbid'
    return `${effect} (principal, action, resource) when { (${actions}) && (${resources}) };`
  })
  return texts.includes(null) || JSON.stringify(document).includes('$' + '{')
    ? null
    : texts.join('\n')
}

interface Statement {
  readonly Effect: string
  readonly Action?: string | string[]
  readonly NotAction?: unknown
  readonly Resource?: string | string[]
  readonly NotResource?: unknown
  readonly Condition?: unknown
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}

/** Halved again and again: a long chain of `||` is deeper than Cedar's stack. */
function likes(attribute: string, patterns: readonly string[]): string {
  if (patterns.length > 1) {
    const half = patterns.length >> 1
    const [left, right] = [patterns.slice(0, half), patterns.slice(half)]
    return `(${likes(attribute, left)}) || (${likes(attribute, right)})`
  }
  return `context.${attribute} like ${JSON.stringify(patterns[0] ?? '')}`
}

function cedarOf(policies: readonly Managed[]): CedarModule {
  const cedar = freshCedar()
  for (const { name, document } of policies) {
    const text = cedarText(document)
    const parsed = cedar.preparsePolicySet(name, { staticPolicies: text ?? '' })
    if (parsed.type !== 'success') throw new Error(`cedar refused the policy ${name}`)
  }
  return cedar
}

const ANYBODY = { type: 'Any', id: 'any' }

function cedarAnswer(cedar: CedarModule, { plain, cedarSet }: Question): string {
  const call: CedarCall = {
    principal: ANYBODY,
    action: ANYBODY,
    resource: ANYBODY,
    context: { action: plain.action.toLowerCase(), resource: plain.resource },
    entities: [],
  }
  const answer = cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId: cedarSet })
  return answer.type === 'success' ? answer.response.decision : 'failure'
}
