// Holds the evaluator of packages/aws against what AWS really answered: with the account's own policies, a
// call that worked must evaluate to allow or unknown, one that was refused to deny or unknown. The trail is
// the strongest witness there is, and the rate of agreement is said.

import type { Meaning } from '@seconder/aws/describe-call'
import { authorize, type PolicySet, type Verdict } from '@seconder/aws/iam/authorize'
import type { IamRequest, Principal } from '@seconder/aws/iam/request'
import type { Who } from '../event/who.ts'
import type { KnownCall } from '../store/known-call.ts'
import { FLAG } from '../store/row.ts'
import type { TrailStore } from '../store/trail-store.ts'
import type { Identity } from './iam-export.ts'

/**
 * Services whose resources can have policies of their own: nobody looked at those, so there the answer can
 * be unknown. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
 */
const WITH_RESOURCE_POLICIES: ReadonlySet<string> = new Set([
  ...[
    'apigateway',
    'aoss',
    'backup',
    'bedrock',
    'cloud9',
    'cloudtrail',
    'codeartifact',
    'codebuild',
  ],
  ...[
    'dynamodb',
    'ecr',
    'ecr-public',
    'elasticfilesystem',
    'es',
    'events',
    'glacier',
    'glue',
    'iam',
  ],
  ...['iot', 'kafka', 'kinesis', 'kms', 'lambda', 'lex', 'logs', 'mediastore', 'mobiletargeting'],
  ...['network-firewall', 'organizations', 'ram', 'redshift-serverless', 'rolesanywhere', 's3'],
  ...['s3-object-lambda', 's3-outposts', 's3express', 's3tables', 'schemas', 'secretsmanager'],
  ...[
    'serverlessrepo',
    'ses',
    'signer',
    'sns',
    'sqs',
    'ssm',
    'ssm-contacts',
    'ssm-incidents',
    'sts',
  ],
  ...['vpc-lattice', 'wisdom', 'acm-pca', 'athena'],
])

/**
 * What anybody may do whatever the policies say. Source: STS API reference, GetCallerIdentity ("No
 * permissions are required") and GetSessionToken ("No permissions are required for users").
 */
const NEEDS_NOTHING: ReadonlySet<string> = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken'])

/** Contradictions that are listed. */
export const LISTED_MAX = 200

export interface Contradiction {
  readonly happened: 'worked' | 'refused'
  readonly evaluates: 'allow' | 'deny'
  readonly operation: string
  readonly action: string
  readonly resources: readonly string[]
  readonly principal: string
  /** The step that decided. */
  readonly step: string
  readonly count: number
}

export interface SelfCheck {
  /** Events that were compared. */
  readonly compared: number
  readonly agreeing: number
  /** agreeing / compared; 1 where nothing was compared. */
  readonly rate: number
  /** Of the agreeing, those with an answer that depends on nothing. */
  readonly certain: number
  readonly worked: { readonly compared: number; readonly agreeing: number }
  readonly refused: { readonly compared: number; readonly agreeing: number }
  /** Callers that are not in the export, services, failures for other reasons, calls that need no right. */
  readonly notCompared: number
  readonly contradictions: readonly Contradiction[]
}

export function selfCheck(store: TrailStore, identities: ReadonlyMap<string, Identity>): SelfCheck {
  const whos = store.whos.map((text) => JSON.parse(text) as Who)
  const { tuples, notCompared } = tuplesOf(store)
  const sums = { worked: { compared: 0, agreeing: 0 }, refused: { compared: 0, agreeing: 0 } }
  const contradictions: Contradiction[] = []
  let certain = 0
  let skipped = notCompared
  for (const { call, who, refused, count } of tuples) {
    const caller = whos[who] as Who
    const known = JSON.parse(store.calls[call] as string) as KnownCall
    const identity = identities.get(caller.principal)
    if (known.is !== 'call' || identity === undefined) {
      skipped += count
      continue
    }
    const action = known.meaning.iamActions[0]
    if (action === undefined || NEEDS_NOTHING.has(action)) {
      skipped += count
      continue
    }
    const verdict = worst(known.meaning, action, caller, identity, identities, refused)
    const sum = refused ? sums.refused : sums.worked
    const evaluates = verdict.answer
    const isContradiction = evaluates === (refused ? 'allow' : 'deny')
    sum.compared += count
    if (evaluates !== 'unknown' && !isContradiction) certain += count
    if (!isContradiction) {
      sum.agreeing += count
      continue
    }
    if (contradictions.length >= LISTED_MAX) continue
    contradictions.push({
      happened: refused ? 'refused' : 'worked',
      evaluates: refused ? 'allow' : 'deny',
      operation: known.meaning.operation,
      action,
      resources: known.meaning.resources.slice(0, 5).map(({ arn }) => arn),
      principal: caller.principal,
      step: verdict.step,
      count,
    })
  }
  const compared = sums.worked.compared + sums.refused.compared
  const agreeing = sums.worked.agreeing + sums.refused.agreeing
  const rate = compared === 0 ? 1 : agreeing / compared
  return { compared, agreeing, rate, certain, ...sums, notCompared: skipped, contradictions }
}

interface Tuple {
  readonly call: number
  readonly who: number
  readonly refused: boolean
  count: number
}

function tuplesOf(store: TrailStore): { tuples: Iterable<Tuple>; notCompared: number } {
  const tuples = new Map<number, Tuple>()
  let notCompared = 0
  for (const slice of store.slices) {
    const { count, calls, whos, flags } = slice()
    for (let row = 0; row < count; row++) {
      const flag = flags[row] as number
      const refused = (flag & FLAG.refused) !== 0
      const isOther = (flag & FLAG.failed) !== 0 && !refused
      if (isOther || (flag & FLAG.byService) !== 0) {
        notCompared++
        continue
      }
      const call = calls[row] as number
      const who = whos[row] as number
      const key = (call * store.whos.length + who) * 2 + (refused ? 1 : 0)
      const known = tuples.get(key)
      if (known === undefined) tuples.set(key, { call, who, refused, count: 1 })
      else known.count++
    }
  }
  return { tuples: tuples.values(), notCompared }
}

/**
 * Of the resources of a call the verdict that contradicts least: one that worked is contradicted only where
 * none of them is allowed, one that was refused only where all certainly are, with every action.
 */
function worst(
  meaning: Meaning,
  action: string,
  who: Who,
  identity: Identity,
  identities: ReadonlyMap<string, Identity>,
  refused: boolean,
): Verdict {
  const own = meaning.resources.filter(({ inner }) => inner !== true)
  const actions = refused ? (meaning.ownActions ?? meaning.iamActions) : [action]
  const verdicts = own.flatMap(({ arn, resolved }) =>
    actions.map((one) => {
      const policies = policiesFor(one, arn, identity, identities)
      return authorize(requestOf(one, arn, resolved, meaning, who, identity), policies)
    }),
  )
  const order = refused
    ? (['deny', 'unknown', 'allow'] as const)
    : (['allow', 'unknown', 'deny'] as const)
  const sorted = order.flatMap((answer) => verdicts.filter((verdict) => verdict.answer === answer))
  return sorted[0] ?? { answer: 'unknown', step: 'allowed', dependsOn: [], matched: [] }
}

function policiesFor(
  action: string,
  arn: string,
  identity: Identity,
  identities: ReadonlyMap<string, Identity>,
): PolicySet {
  const service = action.split(':', 1)[0] ?? ''
  const isTrust = action.startsWith('sts:AssumeRole')
  const looked = WITH_RESOURCE_POLICIES.has(service) ? ('unknown' as const) : null
  return {
    identity: identity.policies,
    boundary: identity.boundary,
    session: null,
    scps: [],
    rcps: [],
    resource: isTrust ? (identities.get(arn)?.trust ?? 'unknown') : looked,
    resourceKind: isTrust ? 'trust' : service === 'kms' ? 'kms-key' : 'ordinary',
  }
}

function requestOf(
  action: string,
  arn: string,
  resolved: boolean,
  meaning: Meaning,
  who: Who,
  identity: Identity,
): IamRequest {
  const account = who.principal.split(':')[4] ?? ''
  const principal: Principal =
    identity.kind === 'user'
      ? { kind: 'user', arn: who.principal, account }
      : { kind: 'session', arn: who.principal, sessionArn: who.session, account }
  const owner = arn.split(':')[4] ?? ''
  const isGlobal = arn === '*'
  const keys = new Map<string, readonly string[]>([
    ['aws:requestedregion', [meaning.region]],
    ['aws:principalarn', [who.principal]],
    ['aws:principalaccount', [account]],
  ])
  return {
    principal,
    action,
    resource: arn,
    resourceIsPattern: !resolved,
    resourceAccount: /^\d{12}$/.test(owner) ? owner : isGlobal ? account : null,
    context: { keys, others: 'unknown' },
  }
}

/** The result as lines of text. */
export function selfCheckLines(check: SelfCheck): string[] {
  const percent = (value: number) => `${(value * 100).toFixed(2)} %`
  const { compared, agreeing, worked, refused, certain, notCompared } = check
  return [
    `self-check: ${percent(check.rate)} of ${compared} events agree with the account's policies (${agreeing}; ${certain} for certain)`,
    `  worked: ${worked.agreeing} of ${worked.compared} evaluate to allow or unknown; refused: ${refused.agreeing} of ${refused.compared} to deny or unknown`,
    `  ${notCompared} not compared: callers that are not in the export, services, failures for other reasons`,
    ...check.contradictions
      .slice(0, 20)
      .map(
        (one) =>
          `  ${one.count} ${one.happened}, evaluates to ${one.evaluates} (${one.step}): ${one.action} by ${one.principal}`,
      ),
    '  SCPs, RCPs, session policies and policies of resources are in no such export: they can explain what is left',
  ]
}
