// Recognises the operation of a request by its one operation signal: X-Amz-Target, the rpcv2Cbor
// path, Action and Version, or a REST route. Two signals, or none, are refused (redteam H1).

import type { Protocol } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'
import { structuredPayload } from '../describe/payload.ts'
import {
  type Operation,
  operationOf,
  type ReadyModel,
  type Service,
} from '../index/service-index.ts'
import { withoutBlanks } from '../sigv4/canonical-request.ts'
import { isAcceptedQueryKey } from './accepted-names.ts'
import { matchRoute } from './rest-route.ts'
import { readPairs, type Wire } from './wire.ts'

export interface Recognised {
  readonly operation: Operation
  readonly protocol: Protocol
  /** Path labels of a REST request. */
  readonly labels: ReadonlyMap<string, string>
  /** The parameters of a query-protocol request, `Action` and `Version` taken out. */
  readonly form: ReadonlyMap<string, readonly string[]>
  /** True where those parameters are the query of a GET. */
  readonly formIsQuery: boolean
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>()
const RPC_PATH = /^\/service\/([A-Za-z0-9_.]+)\/operation\/([A-Za-z0-9_]+)$/

/**
 * The operation that the request names.
 * `ambiguous_operation` for two signals; `unknown_operation` where the name, version or route is
 * not in the index; `unsupported_protocol` for a content type that goes with none of the protocols.
 */
export function recognise(wire: Wire, service: Service): Recognised {
  const target = wire.headers.get('x-amz-target')
  const rpc = RPC_PATH.exec(wire.rawPath)
  const isRpc = rpc !== null && wire.headers.has('smithy-protocol')
  const form = formOf(wire)
  const speaksQuery = service.models.some(isQueryModel) || form?.has('Action') === true
  const signals = [
    target !== undefined,
    isRpc,
    form?.has('Action') === true,
    // Also where this service would not read it: something else on the way might.
    wire.query.has('Action'),
  ].filter(Boolean).length
  if (signals > 1 || namesOtherwise(wire.query))
    throw new CallError('ambiguous_operation', 'two names for the operation')
  if (target !== undefined) return byTarget(wire, service, target)
  if (isRpc) return byRpcPath(service, rpc[1] ?? '', rpc[2] ?? '')
  if (form?.has('Action') === true) return byAction(wire, service, form)
  if (speaksQuery && wire.query.has('Action')) return byAction(wire, service, wire.query)
  const { model, route, labels } = matchRoute(wire, service)
  return {
    operation: known(model, route.operation),
    protocol: model.id === 'S3' ? 's3' : model.protocol === 'rest-json' ? 'restJson1' : 'restXml',
    labels,
    form: NONE,
    formIsQuery: false,
  }
}

/**
 * True for what this reader does not read as an operation and some front of AWS may: a target in the
 * query, in any case, where SDK v3 puts it when it presigns; and `Action` in another case, which no
 * operation of the index has as a parameter.
 * Source: smithy-typescript packages/signature-v4/src/moveHeadersToQuery.ts
 */
function namesOtherwise(query: Wire['query']): boolean {
  for (const key of query.keys()) {
    const lower = key.toLowerCase()
    if (lower === 'x-amz-target' || (lower === 'action' && key !== 'Action')) return true
  }
  return false
}

function isQueryModel(model: ReadyModel): boolean {
  return model.protocol === 'query' || model.protocol === 'ec2'
}

function known(model: ReadyModel, name: string): Operation {
  const operation = operationOf(model, name)
  if (operation === undefined) {
    throw new CallError('unknown_operation', `the service has no operation ${quoted(name)}`)
  }
  return operation
}

/** The pairs of a form body, undefined where the body is none. */
function formOf(wire: Wire): Map<string, string[]> | undefined {
  const type = contentType(wire)
  if (type !== 'application/x-www-form-urlencoded' || wire.body.byteLength === 0) return undefined
  const whole = Buffer.from(structuredPayload(wire)).toString('latin1')
  // Before String.trim, which also takes bytes that are no white space to others.
  if (/[^\t\n\r\x20-\x7e]/.test(whole)) {
    throw new CallError('malformed_body', 'the form body is not ASCII')
  }
  const text = whole.trim()
  if (/[\t\n\r]/.test(text)) {
    throw new CallError('malformed_body', 'the form body has more than one line')
  }
  return readPairs(text, true)
}

export function contentType(wire: Wire): string {
  return withoutBlanks((wire.headers.get('content-type') ?? '').split(';')[0] ?? '').toLowerCase()
}

function isTargetOf(model: ReadyModel, prefix: string): boolean {
  return model.targetPrefix === prefix || model.otherTargets?.includes(prefix) === true
}

/** Source: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
function byTarget(wire: Wire, service: Service, target: string): Recognised {
  const dot = target.lastIndexOf('.')
  const prefix = target.slice(0, dot)
  const name = target.slice(dot + 1)
  const type = contentType(wire)
  if (type !== 'application/x-amz-json-1.0' && type !== 'application/x-amz-json-1.1') {
    throw new CallError('unsupported_protocol', 'x-amz-target without an AWS JSON content type')
  }
  if (wire.method !== 'POST') throw new CallError('unsupported_protocol', 'AWS JSON is a POST')
  const models = service.models.filter((model) => isTargetOf(model, prefix))
  const model = models.find((one) => Object.hasOwn(one.operations, name)) ?? models[0]
  if (model === undefined) throw new CallError('unknown_operation', 'unknown x-amz-target prefix')
  const protocol = type.endsWith('1.0') ? 'awsJson1_0' : 'awsJson1_1'
  return { operation: known(model, name), protocol, labels: NONE, form: NONE, formIsQuery: false }
}

/** Source: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html */
function byRpcPath(service: Service, serviceName: string, name: string): Recognised {
  const models = service.models.filter((model) => isTargetOf(model, serviceName))
  const model = models.find((one) => Object.hasOwn(one.operations, name)) ?? models[0]
  if (model === undefined) throw new CallError('unknown_operation', 'unknown service in the path')
  return {
    operation: known(model, name),
    protocol: 'rpcv2Cbor',
    labels: NONE,
    form: NONE,
    formIsQuery: false,
  }
}

/** Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
function byAction(
  wire: Wire,
  service: Service,
  pairs: ReadonlyMap<string, readonly string[]>,
): Recognised {
  const name = sole(pairs, 'Action')
  const version = sole(pairs, 'Version')
  const models = service.models.filter(
    (model) => model.version === version && model.protocol !== 'rest-json',
  )
  const model = models.find((one) => Object.hasOwn(one.operations, name)) ?? models[0]
  if (model === undefined) {
    throw new CallError('unknown_operation', `no API of the service has version ${quoted(version)}`)
  }
  if (wire.method !== 'POST' && wire.method !== 'GET') {
    throw new CallError('unsupported_protocol', 'the query protocol is a GET or a POST')
  }
  const form = new Map(pairs)
  form.delete('Action')
  form.delete('Version')
  const formIsQuery = pairs === wire.query
  // A front that does not mind the content type might read another call in the body.
  if (formIsQuery && wire.body.byteLength > 0) {
    throw new CallError('ambiguous_operation', 'a body beside an operation in the query')
  }
  if (formIsQuery) for (const key of pairs.keys()) if (isAcceptedQueryKey(key)) form.delete(key)
  const protocol = model.protocol === 'ec2' ? 'ec2Query' : 'awsQuery'
  return { operation: known(model, name), protocol, labels: NONE, form, formIsQuery }
}

function sole(pairs: ReadonlyMap<string, readonly string[]>, key: string): string {
  const values = pairs.get(key) ?? []
  if (values.length > 1) throw new CallError('repeated_member', `${quoted(key)} is there twice`)
  return values[0] ?? ''
}
