// Picks the one REST route that a request fits, or refuses. A route wins over another only where it
// explains more of the request; two that explain different parts are ambiguous (redteam H1).

import { CallError } from '../call-errors.ts'
import { mainActionsOf } from '../describe/main-actions.ts'
import type { Route, Segment } from '../index/route.ts'
import type { ReadyModel, Service } from '../index/service-index.ts'
import { type S3Address, s3AddressOf, s3ApiOf } from './s3-address.ts'
import type { Wire } from './wire.ts'

export interface RouteMatch {
  readonly model: ReadyModel
  readonly route: Route
  readonly labels: ReadonlyMap<string, string>
}

/**
 * The operation whose method, path, query keys and required headers the request has.
 * `unknown_operation` where none fits; `ambiguous_operation` where two of different IAM action fit,
 * or where `x-id` names another operation than the route.
 */
export function matchRoute(wire: Wire, service: Service): RouteMatch {
  const candidates: RouteMatch[] = []
  const api = service.signingName === 's3' ? s3ApiOf(wire) : 'either'
  for (const model of service.models) {
    if (api === 'control' && model.id === 'S3') continue
    if (api === 'object' && model.id !== 'S3') continue
    const pieces = model.id === 'S3' ? s3Pieces(s3AddressOf(wire)) : plainPieces(wire)
    for (const route of model.routes.get(wire.method) ?? []) {
      const labels = fit(wire, route, pieces)
      if (labels !== undefined) candidates.push({ model, route, labels })
    }
  }
  if (candidates.length === 0) {
    throw new CallError('unknown_operation', 'no operation of the service has this method and path')
  }
  const best =
    candidates.length === 1
      ? candidates
      : candidates.filter((one) => !candidates.some((other) => dominates(other, one)))
  // A slash that the model has and the request has not is forgiven, but where it tells two operations
  // apart it counts. One that the model has not could be an empty name to another reader.
  const slash = wire.rawPath.length > 1 && wire.rawPath.endsWith('/')
  const exact = best.filter((one) => one.route.trailingSlash === slash)
  if (slash && exact.length === 0 && !best.some(({ model }) => model.id === 'S3')) {
    throw new CallError('malformed_target', 'the path ends with a slash that no route has')
  }
  return checkLabel(wire, soleReading(exact.length > 0 ? exact : best, service))
}

function soleReading(best: readonly RouteMatch[], service: Service): RouteMatch {
  const [first] = best
  if (first === undefined) throw new CallError('unknown_operation', 'no route fits')
  if (best.length === 1) return first
  const actions = new Set(best.map((one) => meaning(one, service)))
  if (actions.size > 1) {
    throw new CallError('ambiguous_operation', 'the request fits two operations of the service')
  }
  // Same action: legacy names of one call. The name that is not deprecated, then the longer one.
  const sorted = best.toSorted(
    (a, b) =>
      Number(isDeprecated(a)) - Number(isDeprecated(b)) ||
      b.route.operation.length - a.route.operation.length,
  )
  return sorted[0] ?? first
}

/** What IAM checks for the route; where that is not known, the operation itself. */
function meaning(match: RouteMatch, service: Service): string {
  const { operation, method } = match.route
  const actions = mainActionsOf(service, match.model.id, operation, method)
  return actions.length === 0 ? `operation ${operation}` : actions.join()
}

function isDeprecated(match: RouteMatch): boolean {
  return match.model.operations[match.route.operation]?.deprecated === true
}

/** `x-id` is the name of the operation as the SDK meant it; a contradiction is a second signal. */
function checkLabel(wire: Wire, match: RouteMatch): RouteMatch {
  const [label] = wire.query.get('x-id') ?? []
  if (label !== undefined && label !== match.route.operation) {
    throw new CallError('ambiguous_operation', 'x-id names another operation than the path')
  }
  return match
}

function s3Pieces(address: S3Address): string[] {
  if (address.bucket === undefined) return []
  return address.key === undefined ? [address.bucket] : [address.bucket, address.key]
}

/** One trailing slash is no segment; an empty segment elsewhere is no path of any model. */
function plainPieces(wire: Wire): string[] {
  const pieces = wire.pieces.at(-1) === '' ? wire.pieces.slice(0, -1) : [...wire.pieces]
  if (pieces.includes('')) throw new CallError('malformed_target', 'the path has an empty segment')
  return pieces
}

function fit(
  wire: Wire,
  route: Route,
  pieces: readonly string[],
): ReadonlyMap<string, string> | undefined {
  if (!mayFit(route, pieces)) return undefined
  for (const [key, value] of route.literalQuery) {
    const values = wire.query.get(key)
    if (values === undefined) return undefined
    if (value !== null && (values.length !== 1 || values[0] !== value)) return undefined
  }
  if (!route.requiredQuery.every((key) => wire.query.has(key))) return undefined
  if (!route.requiredHeaders.every((name) => wire.headers.has(name))) return undefined
  return fitPath(route.segments, pieces)
}

/** A quick look at the first literal and the length, which rules out most routes. */
function mayFit(route: Route, pieces: readonly string[]): boolean {
  const [first] = route.segments
  if (first !== undefined && 'literal' in first && first.literal !== pieces[0]) return false
  return route.isGreedy || route.segments.length === pieces.length
}

function fitPath(
  segments: readonly Segment[],
  pieces: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const labels = new Map<string, string>()
  const greedyAt = segments.findIndex((segment) => 'greedy' in segment && segment.greedy)
  const after = greedyAt < 0 ? 0 : segments.length - greedyAt - 1
  if (greedyAt < 0 ? pieces.length !== segments.length : pieces.length < segments.length) {
    return undefined
  }
  for (const [at, segment] of segments.entries()) {
    const from = greedyAt >= 0 && at > greedyAt ? pieces.length - (segments.length - at) : at
    const piece = at === greedyAt ? pieces.slice(at, pieces.length - after).join('/') : pieces[from]
    if (piece === undefined) return undefined
    if ('literal' in segment) {
      if (segment.literal !== piece) return undefined
    } else {
      labels.set(segment.label, piece)
    }
  }
  return labels
}

/** True where `a` explains all that `b` explains, and more. */
function dominates(a: RouteMatch, b: RouteMatch): boolean {
  if (a === b) return false
  const path = comparePaths(a.route.segments, b.route.segments)
  if (path < 0) return false
  const mine = explained(a.route)
  const other = explained(b.route)
  return other.isSubsetOf(mine) && (path > 0 || mine.size > other.size)
}

const keptExplained = new WeakMap<Route, ReadonlySet<string>>()

function explained(route: Route): ReadonlySet<string> {
  let parts = keptExplained.get(route)
  if (parts === undefined) {
    parts = new Set([
      ...route.literalQuery.keys().map((key) => `?${key}`),
      ...route.requiredQuery.map((key) => `?${key}`),
      ...route.requiredHeaders,
    ])
    keptExplained.set(route, parts)
  }
  return parts
}

/** Above zero where `a` is the more specific: literal before label before greedy, from the left. */
function comparePaths(a: readonly Segment[], b: readonly Segment[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = rank(a[at]) - rank(b[at])
    if (difference !== 0) return difference
  }
  return 0
}

function rank(segment: Segment | undefined): number {
  if (segment === undefined) return 0
  if ('literal' in segment) return 3
  return segment.greedy ? 1 : 2
}
