// The one way from a verified request to what it would do: recognise the operation, decode its
// parameters, and name its actions, resources and effects. Pure but for the index, read once.

import type { Call, Json, JsonObject } from './call.ts'

import { CallError } from './call-errors.ts'
import { levelsOf, neededActions, plainActionsOf } from './describe/actions.ts'
import { maskedPointersOf, recoverableOf, revealsOf, strictestReveals } from './describe/answers.ts'
import { partitionOf } from './describe/arn.ts'
import { fromJson } from './describe/decode-json.ts'
import { fromQuery } from './describe/decode-query.ts'
import { fromRest, hasBlobPayload } from './describe/decode-rest.ts'
import type { Decoding } from './describe/decoder.ts'
import { unknownMember } from './describe/decoder.ts'
import { effectsOf, isPlainRead } from './describe/effects.ts'
import type { Surroundings } from './describe/normalise.ts'
import { passedRoles } from './describe/pass-role.ts'
import { decodeCbor, decodeJson, structuredPayload } from './describe/payload.ts'
import { resourcesOf } from './describe/resources.ts'
import { type Operation, type Service, serviceOf } from './index/service-index.ts'
import { actingOf } from './inner-calls/acting.ts'
import { distinct, withInnerCalls } from './inner-calls/union.ts'
import { isAcceptedHeader, isAcceptedQueryKey } from './recognise/accepted-names.ts'
import { type Recognised, recognise } from './recognise/operation.ts'
import { readWire, type Wire } from './recognise/wire.ts'
import { statedIn } from './sql/stated.ts'
import type { WireBody, WireHead, WireRequest } from './wire-request.ts'

export interface CallScope {
  /** The signing name in the verified credential scope, such as `monitoring`. */
  readonly service: string
  readonly region: string
}

export interface CallContext {
  /** The twelve digits of the account that the session's credentials belong to. */
  readonly account: string
}

/**
 * What the request would do, as one Call.
 *
 * The scope must come from a verified signature. Throws CallError with any of its codes; a request
 * that throws has no meaning that can be decided on and must not be forwarded.
 *
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
 */
export function describeCall(
  request: WireRequest<WireBody>,
  scope: CallScope,
  context: CallContext,
): Call {
  const service = serviceOf(scope.service)
  const wire = readWire(request)
  const recognised = recognise(wire, service)
  const { operation, protocol } = recognised
  const plainActions = plainActionsOf(service, operation)
  const isRead = isPlainRead(service, operation.name, levelsOf(service, plainActions))
  const { parameters, tokens } = decode(wire, recognised, !isRead)
  const here = { partition: partitionOf(scope.region), region: scope.region, ...context }
  return Object.assign(meaningOf(service, operation, parameters, here), { protocol, tokens })
}

/**
 * Whether the operation takes its payload as bytes that nobody needs to read, so that a body of any size
 * can be described by its hash. Errors: CallError where the head names no operation.
 */
export function takesBlob(head: WireHead, scope: CallScope): boolean {
  const body = { sha256: '', byteLength: 0 }
  const { operation } = recognise(readWire({ ...head, body }), serviceOf(scope.service))
  return hasBlobPayload(operation)
}

/** A Call without what only a request on the wire has. */
export type Meaning = Omit<Call, 'protocol' | 'tokens'>

/**
 * What an operation would do with these parameters, named as its model names them, whoever asked and by
 * whatever protocol: the wire, a schedule, a state machine, or a trail of the past. SQL in it is opaque
 * where its grammar was not made ready before (sql/stated.ts).
 */
export function meaningOf(
  service: Service,
  operation: Operation,
  parameters: JsonObject,
  here: Surroundings,
): Meaning {
  const { main, added } = neededActions(service, operation, parameters)
  const own = main.length > 0 ? main : added
  const acting = actingOf(service, operation, parameters, here)
  const levels = levelsOf(service, [...own, ...added])
  const stated = statedIn(`${service.prefix}:${operation.name}`, parameters, here)
  const effects =
    stated?.effects ?? effectsOf(service, operation.name, levels, parameters, acting.whole)
  const roles = [...passedRoles(service.prefix, parameters), ...acting.roles]
  const needed = stated?.actions ?? [...main, ...added]
  const named = stated?.resources ?? resourcesOf(service, operation, needed, parameters, here)
  const resources = distinct([...named, ...(stated?.beside ?? [])])
  const passing = roles.length === 0 ? [] : ['iam:PassRole']
  const call: Meaning = {
    service: service.prefix,
    operation: `${service.prefix}:${operation.name}`,
    operationName: operation.name,
    endpointPrefix: operation.model.endpointPrefix ?? null,
    partition: here.partition,
    region: here.region,
    account: here.account,
    iamActions: [...new Set([...needed, ...(stated?.added ?? []), ...passing])],
    resources: roles.length === 0 ? resources : distinct([...resources, ...roles]),
    effects,
    reveals: strictestReveals([
      revealsOf(service, operation, effects, parameters),
      stated?.reveals ?? 'nothing',
    ]),
    recoverable: recoverableOf(service, operation, effects, parameters),
    parameters,
    maskedPointers: maskedPointersOf(operation, parameters),
  }
  if (stated !== undefined) Object.assign(call, { statements: stated.statements })
  if (acting.holder !== undefined) Object.assign(call, { holder: acting.holder })
  return acting.innerCalls.length === 0 ? call : withInnerCalls(call, acting.innerCalls)
}

function decode(
  wire: Wire,
  recognised: Recognised,
  strict: boolean,
): { parameters: JsonObject; tokens: string[] } {
  const { operation, protocol } = recognised
  const decoding: Decoding = { model: operation.model, strict }
  const parameters = decodeBy(wire, recognised, decoding)
  if (protocol !== 's3' && protocol !== 'restJson1' && protocol !== 'restXml') {
    refuseStrangers(wire, decoding, recognised)
    refuseOtherPath(wire, recognised, parameters)
  }
  const tokens: string[] = []
  for (const name of operation.facts.tokens ?? []) {
    const token = parameters[name]
    if (typeof token === 'string') tokens.push(token)
    delete parameters[name]
  }
  return { parameters, tokens }
}

function decodeBy(wire: Wire, recognised: Recognised, decoding: Decoding): Record<string, Json> {
  const { operation, protocol } = recognised
  switch (protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return fromJson(decoding, operation.members, decodeJson(structuredPayload(wire)))
    case 'rpcv2Cbor':
      return fromJson(decoding, operation.members, decodeCbor(structuredPayload(wire)))
    case 'awsQuery':
    case 'ec2Query':
      return fromQuery(decoding, operation.members, recognised.form)
    default:
      return fromRest(decoding, operation, wire, recognised.labels)
  }
}

/**
 * SQS once named the queue in the path of a form request, so a path is either the root or that of the
 * queue in the parameters; anything else would be a second reading. Source: SQS API, query requests.
 */
function refuseOtherPath(wire: Wire, recognised: Recognised, parameters: JsonObject): void {
  if (wire.rawPath === '/' || recognised.protocol === 'rpcv2Cbor') return
  const url = parameters['QueueUrl']
  const queuePath =
    typeof url === 'string' ? /^https?:\/\/[^/?#]+(\/[^?#]*)$/.exec(url)?.[1] : undefined
  if (queuePath !== wire.rawPath) {
    throw new CallError('malformed_target', 'the path is not the one of the protocol')
  }
}

/** Protocols with one endpoint path bind nothing to headers, query or path; nor may a request. */
function refuseStrangers(wire: Wire, decoding: Decoding, recognised: Recognised): void {
  for (const [name] of wire.headers) {
    if (!isAcceptedHeader(name)) unknownMember(decoding, name)
  }
  if (recognised.formIsQuery) return
  for (const key of wire.query.keys()) {
    if (!isAcceptedQueryKey(key)) unknownMember(decoding, `?${key}`)
  }
}
