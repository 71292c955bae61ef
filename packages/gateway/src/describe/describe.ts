// Makes an Action from a verified AWS request: packages/aws says what the call is, operator
// configuration says which environment it touches. Pure: no clock, network, disk or randomness.
import { createHmac } from 'node:crypto'
import type { Call } from '@seconder/aws/call'
import { describeCall, type Meaning } from '@seconder/aws/describe-call'
import { grammarFor } from '@seconder/aws/sql/stated'
import { isHeld, type WireBody, type WireRequest } from '@seconder/aws/wire-request'
import { digestOf, sha256Hex } from '../lib/canonical-json.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { Action, InnerCall, JsonObject, Resource } from './action.ts'
import { type PlaceRules, placed } from './environments.ts'
import { guarded } from './guarded.ts'
import { mask } from './mask.ts'

export interface DescribeFacts extends PlaceRules {
  /** Service and region of the verified credential scope. */
  readonly scope: { readonly service: string; readonly region: string }
  /** Account of the session's role. */
  readonly account: string
  /** Hex key of the session for masked values. */
  readonly maskKey: string
}

export interface Described {
  readonly action: Action
  /** Which host of the signing name the operation's API is at; null where no source says. */
  readonly endpointPrefix: string | null
}

/** Resolves when `describe` knows all it may need of such calls; undefined where nothing is to be waited for. */
export function readyToDescribe({
  scope,
}: Pick<DescribeFacts, 'scope'>): Promise<void> | undefined {
  return grammarFor(scope.service)
}

/** Returns the Action of one AWS request. Errors: CallError of packages/aws, each a refusal. */
export function describe(request: WireRequest<WireBody>, facts: DescribeFacts): Described {
  const call = describeCall(request, facts.scope, { account: facts.account })
  const action = actionOf(call, payloadHash(request.body, call, facts.maskKey), facts)
  return { action, endpointPrefix: call.endpointPrefix }
}

/**
 * The Action of a call whose meaning is known, by whatever way: the wire, or a trail of the past, which
 * has no body and no key for masks.
 */
export function actionOf(
  call: Meaning,
  body: string | null,
  rules: PlaceRules & Pick<DescribeFacts, 'maskKey'>,
): Action {
  const action: Action = {
    door: 'aws',
    operation: call.operation,
    iamActions: call.iamActions,
    resources: resourcesOf(call, rules),
    effects: call.effects,
    reveals: call.reveals,
    recoverable: call.recoverable,
    service: call.service,
    account: call.account,
    region: call.region,
    parameters: mask(call.parameters, call.maskedPointers, rules.maskKey),
    body,
    ...(call.ownActions && { ownActions: call.ownActions }),
    ...(call.innerCalls && { innerCalls: innerCallsOf(call.innerCalls, rules.maskKey) }),
    ...(call.statements && { statements: call.statements }),
    ...(call.holder !== undefined && { holder: call.holder }),
  }
  return guarded(action, rules)
}

/** What an SDK makes for a token: nothing shorter, and no text that could hide a meaning. */
const TOKEN = /^[A-Za-z0-9-]{16,128}$/

/**
 * SHA-256 of the decoded payload. An idempotency token of the closed table is taken out first, so that
 * a plain re-run has the same hash; everything else that differs makes another one (red team C8, H12).
 * A payload with a secret in it is hashed under the session's key: the hash of a short secret in a
 * known payload would be a dictionary (red team M5).
 */
function payloadHash(body: WireBody, call: Call, maskKey: string): string {
  if (isHeld(body)) {
    // A blob, so that no token of the call is in it; beside a secret it is hashed under the key too.
    return call.maskedPointers.length === 0 ? body.sha256 : keyedHash(body.sha256, maskKey)
  }
  const bytes = call.tokens.length === 0 ? body : withoutTokens(body, call.tokens)
  if (call.maskedPointers.length === 0) return sha256Hex(bytes)
  return keyedHash(bytes, maskKey)
}

function keyedHash(bytes: string | Uint8Array, maskKey: string): string {
  return createHmac('sha256', Buffer.from(maskKey, 'hex')).update(bytes).digest('hex')
}

function withoutTokens(body: Uint8Array, tokens: readonly string[]): Uint8Array {
  let payload = Buffer.from(body).toString('latin1')
  for (const token of tokens) {
    const parts = payload.split(token)
    if (TOKEN.test(token) && parts.length === 2) payload = parts.join('')
  }
  return Buffer.from(payload, 'latin1')
}

function innerCallsOf(calls: NonNullable<Call['innerCalls']>, maskKey: string): InnerCall[] {
  return calls.map(({ maskedPointers, ...inner }) => ({
    ...inner,
    parameters: mask(inner.parameters, maskedPointers, maskKey),
  }))
}

/** A read touches a role as a thing; anything else lends it, edits it or runs under it (red team H8). */
function resourcesOf(call: Meaning, rules: PlaceRules): Resource[] {
  const found =
    call.resources.length > 0 ? call.resources : [{ arn: '*', type: '*', resolved: false }]
  const looks = call.effects.every((effect) => effect === 'read' || effect === 'list')
  return found.flatMap((resource) => {
    const all = placed(rules, call, resource)
    // The first is the environment of the role itself.
    return looks ? all.slice(0, 1) : all
  })
}

export interface DigestFacts {
  readonly sessionId: string
  readonly roleArn: string
  readonly epoch: number
}

/** What copies of one call are joined by: everything but the evidence. */
export function actionDigest(action: Action, facts: DigestFacts): string {
  return digestOf({ ...digestMembers(action, facts) })
}

/** What is reviewed, granted and executed: the Action with what was looked up and binds. */
export function boundDigest(action: Action, evidence: Evidence, facts: DigestFacts): string {
  return digestOf({ ...digestMembers(action, facts), binding: evidence.binding })
}

function digestMembers(action: Action, { sessionId, roleArn, epoch }: DigestFacts): JsonObject {
  return { action: action as unknown as JsonObject, session: sessionId, role: roleArn, epoch }
}
