// Small facts about a call that more than one stage of the path needs.
import { endpointFor, partitionOf } from '@seconder/aws/endpoints/endpoint'
import { labelOfOperation } from '@seconder/aws/endpoints/host-label'
import { withInnerCalls } from '@seconder/aws/inner-calls/union'
import { inputStreamOf } from '@seconder/aws/recognise/input-streams'
import { isS3SigningName } from '@seconder/aws/sigv4/canonical-request'
import type { VerifiedSignature } from '@seconder/aws/sigv4/verify'
import { headerValues, type WireBody, type WireRequest } from '@seconder/aws/wire-request'
import type { DecideContext } from '../decide/decision.ts'
import type { Action, JsonObject, Resource } from '../describe/action.ts'
import { boundDigest, type DescribeFacts } from '../describe/describe.ts'
import {
  covers,
  environmentsOfRole,
  type PlaceRules,
  PRODUCTION,
  placed,
} from '../describe/environments.ts'
import { guarded } from '../describe/guarded.ts'
import { GatewayError } from '../errors.ts'
import type { Scope } from '../execute/exchange.ts'
import type { Caller, Isolation } from '../identify/caller.ts'
import type { Identified } from '../identify/identify.ts'
import type { Received } from '../receive/received.ts'
import type { CallFacts } from '../record/entry.ts'
import { bindingRead } from '../resolve/binding.ts'
import { type Evidence, NO_EVIDENCE } from '../resolve/evidence.ts'
import type { OnPath } from './on-path.ts'

/** Resources named in one entry; the review document holds them all. */
const ENTRY_RESOURCES_MAX = 20

/** Longest claim of an agent about why it does something, in characters. */
const AGENT_SAYS_CHARS_MAX = 1_000

const SIGN_THE_PAYLOAD = 'sign the payload, as AWS SDKs and the AWS CLI do for this service'

const SIGN_THE_CALL =
  'a presigned URL leaves its body open: make the call itself with the keys of the session'

/** A read changes nothing and shows no secret. Everything else takes the whole path. */
export function isRead(action: Action): boolean {
  const harmless = action.effects.every((effect) => effect === 'read' || effect === 'list')
  return harmless && (action.reveals === 'nothing' || action.reveals === 'data')
}

/** Answers that hold credentials never pass, whatever any policy says (red team C4). */
export function requireNoCredential(action: Action): void {
  if (action.reveals !== 'credential') return
  throw new GatewayError(
    'credential_answer',
    `the answer of ${action.operation} would hold credentials that work without the gate; nothing was done`,
    'do the work through the session you have; it has the role you need',
  )
}

/** An event stream is made while it is sent, so nobody can see it before it happens. */
export function requireNoInputStream({ request, verified }: Identified): void {
  const named = inputStreamOf(request, verified.service)
  // A presigned request says so in its query, which is no part of the request any more.
  const operation = named ?? (verified.payloadKind === 'events' ? 'this operation' : undefined)
  if (operation === undefined) return
  throw new GatewayError(
    'not_supported',
    `${operation} takes an event stream, which nobody can see before it happens; nothing was done`,
    'use an operation of the service that takes its whole input at once',
  )
}

/** A GET or HEAD with a body means one thing to one server and another to the next. */
export function requireNoStrayBody(request: WireRequest<WireBody>): void {
  if (request.body.byteLength === 0 || !/^(GET|HEAD)$/.test(request.method)) return
  throw new GatewayError(
    'not_supported',
    `a ${request.method} with a body is refused`,
    'send it without one',
  )
}

/** What a description needs to know of whoever asks. */
export function describedFor({
  verified,
  session,
}: Identified): Omit<DescribeFacts, keyof PlaceRules> {
  const { service, region } = verified
  return {
    scope: { service, region },
    account: session.roleArn.split(':')[4] ?? '',
    maskKey: session.maskKey,
  }
}

/**
 * Where the call goes: a row of the endpoint table, under the label of its operation.
 * Errors: EndpointError `other_row` where the client addressed a host that is not the operation's.
 */
export function scopeOf(
  { verified, hostPrefix, request }: Identified,
  { operation }: Action,
  endpointPrefix: string | null,
): Scope {
  const { service, region } = verified
  const name = operation.slice(operation.indexOf(':') + 1)
  const label = labelOfOperation(hostPrefix, { service, endpointPrefix, name }, request)
  return { service, region, endpointPrefix, hostPrefix: label }
}

/** What no host of the endpoint table takes is refused before anything is looked up or consumed. */
export function requireEndpoint({ service, region, endpointPrefix, hostPrefix = '' }: Scope): void {
  if (endpointFor(service, region, { ...(endpointPrefix && { endpointPrefix }), hostPrefix }))
    return
  throw new GatewayError(
    'upstream_not_allowed',
    `\`${service}\` in \`${region}\` is not in the endpoint table; nothing was done`,
    'check the region; services whose host belongs to a customer are not passed on',
  )
}

/**
 * A call that is not a read must have a bound body: what is reviewed is what runs (red team C8). The gate
 * holds every body whole and hashes it: that hash is in the digest, and is what the gate signs upstream. So
 * a payload that S3's clients leave unsigned is bound here, on connections that are loopback or TLS
 * (config.ts). Not so that of a presigned URL, whose body is chosen by whoever holds it.
 * Errors: `unsupported_payload`, naming what makes the client sign its payload.
 */
export function requireBoundBody(action: Action, verified: VerifiedSignature): void {
  const { form } = verified
  if (isBound(verified)) return
  throw new GatewayError(
    'unsupported_payload',
    `${action.operation} came with a payload that its signature does not bind; nothing was done`,
    form === 'presigned' ? SIGN_THE_CALL : SIGN_THE_PAYLOAD,
  )
}

/**
 * True where the body is the one that was signed. A chunked one was taken apart with its signature, which
 * a URL has none of. A kind that is not named here is not bound.
 */
function isBound({ form, payloadKind, service }: VerifiedSignature): boolean {
  if (payloadKind === 'signed') return true
  if (payloadKind === 'unsigned') return form === 'header' && isS3SigningName(service)
  return form === 'header' && /^streaming-(signed|unsigned-trailer)$/.test(payloadKind)
}

/**
 * The Action as policy is asked about it, only ever stricter than described: the calls that were found
 * in what it starts are its own, every environment that a role behind it reaches is touched (red team
 * H8), and what could not be looked at counts as not resolved.
 */
export function asDecided(action: Action, evidence: Evidence, rules: PlaceRules): Action {
  // A read, and whatever acts for nobody: nothing was looked for.
  if (evidence === NO_EVIDENCE && action.holder === undefined) return action
  const { innerCalls = [] } = evidence
  const actsUnder = rolesBehind(action, evidence)
  const { effects, reveals, recoverable, iamActions } = action
  const known = { effects, reveals, recoverable, iamActions, resources: [] }
  const joined = innerCalls.length === 0 ? known : withInnerCalls(known, innerCalls)
  const roles = actsUnder.map((arn) => ({ arn, type: 'role', resolved: arn !== '*' }))
  const found = [...joined.resources, ...roles].flatMap((one) => placed(rules, action, one))
  const stray = strayBuckets(action, evidence, rules)
  const touched = [...action.resources, ...found, ...stray, ...taggedOnes(action, evidence)]
  const resources = touched.map((one) =>
    one.resolved && !isProved(one, action, evidence, rules) ? { ...one, resolved: false } : one,
  )
  const decided: Action = {
    ...action,
    effects: joined.effects,
    reveals: joined.reveals,
    recoverable: joined.recoverable,
    iamActions: joined.iamActions,
    resources: bindingRead(evidence)
      ? resources
      : resources.map((one) => ({ ...one, resolved: false })),
  }
  const contained = evidence.findings.map(({ name }) => name)
  return guarded(decided, rules, [...(action.innerCalls ?? []), ...innerCalls], contained)
}

/**
 * Whether it is proved in which account a thing is. A bucket's name says none: a row of the configuration
 * must name it, or S3 have said whose it is (red team M8).
 */
function isProved(
  { arn, account }: Resource,
  { operation }: Action,
  { binding }: Evidence,
  { environments }: PlaceRules,
): boolean {
  const bucket = /^arn:[^:]*:s3:::([^/]+)/.exec(arn)?.[1]
  if (bucket === undefined || operation === 's3:CreateBucket') return true
  const named = environments.some(
    ({ accounts, arns = [] }) =>
      accounts.includes(account) && arns.some((pattern) => covers(pattern, arn)),
  )
  return named || ownersIn(binding).some((one) => one.bucket === bucket && one.account === account)
}

function ownersIn(binding: JsonObject): readonly { bucket: string; account: string | null }[] {
  const { owners } = binding
  return Array.isArray(owners) ? (owners as unknown as ReturnType<typeof ownersIn>) : []
}

/** Buckets that it names beside its own, to export to or to take from, and of which nobody proved whose. */
function strayBuckets(action: Action, evidence: Evidence, rules: PlaceRules): Resource[] {
  const partition = partitionOf(action.region) ?? 'aws'
  const own = new Set(action.resources.map(({ arn }) => arn.split('/', 1)[0]))
  return ownersIn(evidence.binding)
    .map(({ bucket }) => `arn:${partition}:s3:::${bucket}`)
    .filter((arn) => !own.has(arn))
    .flatMap((arn) => placed(rules, action, { arn, type: 'bucket', resolved: true }))
    .filter((one) => !isProved(one, action, evidence, rules))
}

/** A tag may raise what it is on to production, never lower it: both environments are decided. */
function taggedOnes({ resources }: Action, { taggedProduction }: Evidence): Action['resources'] {
  return taggedProduction ? resources.map((one) => ({ ...one, environment: PRODUCTION })) : []
}

/** Roles that were found to act; one that should have been looked for and was not may be any. */
function rolesBehind({ holder }: Action, { actsUnder }: Evidence): readonly string[] {
  return actsUnder ?? (holder === undefined ? [] : ['*'])
}

/** The evidence with what a reviewer should know of the roles that would act. */
export function withReaches(action: Action, evidence: Evidence, rules: PlaceRules): Evidence {
  const actsUnder = rolesBehind(action, evidence)
  if (actsUnder.length === 0) return evidence
  const reaches = actsUnder.map((role) => {
    const account = role.split(':')[4] ?? ''
    return { role, environments: environmentsOfRole(rules, { arn: role, account }) }
  })
  return { ...evidence, reaches }
}

export function contextOf(caller: Caller, isolation: Isolation): DecideContext {
  return {
    agent: caller.agent,
    operator: caller.operator,
    role: caller.role.name,
    isolation,
    breakGlass: false,
    ...(caller.task !== null && { task: caller.task }),
    ...(caller.instigators.length > 0 && { instigators: caller.instigators }),
  }
}

export function callFacts(
  caller: Caller,
  action: Action,
  digest: string,
  epoch: number,
): CallFacts {
  return {
    session: caller.sessionId,
    operator: caller.operator,
    agent: caller.agent,
    role: caller.role.arn,
    operation: action.operation,
    resources: action.resources
      .slice(0, ENTRY_RESOURCES_MAX)
      .map(({ arn }) => arn.slice(0, 1_024).toWellFormed()),
    environments: [...new Set(action.resources.map(({ environment }) => environment))],
    effects: action.effects,
    digest,
    epoch,
  }
}

/** What recognises a copy: the signature, and the SDK's invocation id together with the digest. */
export function copyKeys(
  call: Identified & { readonly received: Received; readonly actionDigest: string },
): [string, ...string[]] {
  const { verified, received, actionDigest } = call
  const session = call.session.id
  const invocation = headerValues(received.request, 'amz-sdk-invocation-id')
  // A signature that leaves the body open says nothing of it: another body is then no copy, but refused
  // as the replay that it is.
  const body = verified.payloadKind === 'signed' ? '' : ` ${actionDigest}`
  const keys: [string, ...string[]] = [`signature ${session} ${verified.signature}${body}`]
  if (invocation.length === 1) keys.push(`invocation ${session} ${invocation[0]} ${actionDigest}`)
  return keys
}

/** The agent's own words for why, from the header `x-seconder-reason` (percent-encoded UTF-8). */
export function agentSays(received: Received): string | null {
  const said = headerValues(received.request, 'x-seconder-reason')[0]
  if (said === undefined) return null
  try {
    return decodeURIComponent(said).slice(0, AGENT_SAYS_CHARS_MAX).toWellFormed()
  } catch {
    return said.slice(0, AGENT_SAYS_CHARS_MAX) // not percent-encoded: the claim is shown as it came
  }
}

/** What of a session is in every digest. */
export function digestFacts(session: { readonly id: string; readonly roleArn: string }) {
  return { sessionId: session.id, roleArn: session.roleArn }
}

/** Of the call with what was found behind it: what people sign, and what runs. */
export function digestOf(
  { action, session, epoch }: Pick<OnPath, 'action' | 'session' | 'epoch'>,
  evidence: Evidence,
): string {
  return boundDigest(action, evidence, { ...digestFacts(session), epoch: epoch.number })
}
