// Makes the routes of a REST model: which method, path, query keys and headers mean which
// operation. Source: https://smithy.io/2.0/spec/http-bindings.html#http-trait (uri pattern, greedy
// labels).

import type { Model, Shape } from './model.ts'

/** One path segment: literal text, a label, or a greedy label that takes the rest. */
export type Segment =
  | { readonly literal: string }
  | { readonly label: string; readonly greedy: boolean }

export interface Route {
  readonly operation: string
  readonly method: string
  readonly segments: readonly Segment[]
  readonly isGreedy: boolean
  readonly trailingSlash: boolean
  /** Query keys that the URI names; a value where the URI names one (`?x=y`), else null. */
  readonly literalQuery: ReadonlyMap<string, string | null>
  /** Query keys and headers that required members are bound to, in lower case for headers. */
  readonly requiredQuery: readonly string[]
  readonly requiredHeaders: readonly string[]
}

/** Routes of a model that speaks REST, none of the others. */
export function routesOf(model: Model): Route[] {
  if (model.protocol !== 'rest-json' && model.protocol !== 'rest-xml') return []
  return Object.keys(model.operations).map((name) => routeOf(model, name))
}

function routeOf(model: Model, name: string): Route {
  const operation = model.operations[name]
  const uri = operation?.uri ?? '/'
  const [path = '/', query = ''] = uri.split('?')
  const literalQuery = new Map<string, string | null>()
  for (const part of query.split('&')) {
    if (part === '') continue
    const [key = '', value] = part.split('=')
    literalQuery.set(key, value === undefined || value === '' ? null : value)
  }
  const input = operation?.input
  const shape = input?.shape === undefined ? input : model.shapes[input.shape]
  const requiredMembers = (shape?.required ?? []).map((member) => bound(shape, member))
  const segments = path.split('/').filter(Boolean).map(toSegment)
  return {
    operation: name,
    method: operation?.method ?? 'POST',
    segments,
    isGreedy: segments.some((segment) => 'greedy' in segment && segment.greedy),
    trailingSlash: path.length > 1 && path.endsWith('/'),
    literalQuery,
    requiredQuery: names(requiredMembers, 'querystring'),
    requiredHeaders: names(requiredMembers, 'header').map((header) => header.toLowerCase()),
  }
}

function bound(shape: Shape | undefined, member: string): Shape {
  return { locationName: member, ...shape?.members?.[member] }
}

function names(members: readonly Shape[], location: string): string[] {
  return members
    .filter((member) => member.location === location)
    .map((member) => member.locationName ?? '')
}

function toSegment(text: string): Segment {
  const label = /^\{([^{}+]+)(\+?)\}$/.exec(text)
  if (label === null) return { literal: text }
  return { label: label[1] ?? '', greedy: label[2] === '+' }
}
