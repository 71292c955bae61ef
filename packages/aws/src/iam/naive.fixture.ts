// A second evaluator of one identity policy, written from the guide's text without a look at the first: each
// pattern a regular expression, each condition a sentence of its page, nothing compiled or kept. It knows
// what AWS's own managed policies use; for what may void a statement it says so and is not asked.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
import type { Json } from '../call.ts'

interface NaiveStatement {
  readonly Effect: string
  readonly Action?: string | string[]
  readonly NotAction?: string | string[]
  readonly Resource?: string | string[]
  readonly NotResource?: string | string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

export interface NaiveRequest {
  readonly action: string
  readonly resource: string
  /** By key in lower case; what is not here is not in the request. */
  readonly keys: Readonly<Record<string, readonly string[]>>
}

export type NaiveAnswer = 'allow' | 'deny' | 'cannot say'

class Void extends Error {}

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]

export function naiveAnswer(document: Json, request: NaiveRequest): NaiveAnswer {
  const { Statement } = document as unknown as { Statement: NaiveStatement | NaiveStatement[] }
  try {
    const holding = listOf(Statement).filter((one) => isFor(one, request))
    if (holding.some(({ Effect }) => Effect === 'Deny')) return 'deny'
    return holding.some(({ Effect }) => Effect === 'Allow') ? 'allow' : 'deny'
  } catch (cause) {
    if (cause instanceof Void) return 'cannot say'
    throw cause
  }
}

function isFor(statement: NaiveStatement, { action, resource, keys }: NaiveRequest): boolean {
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement
  const named = listOf(Action ?? NotAction).some((one) => looksLike(action, one, 'i'))
  if (named !== (Action !== undefined)) return false
  const patterns = listOf(Resource ?? NotResource)
  const meant = patterns.some((one) => looksLike(resource, filled(one, keys), ''))
  if (meant !== (Resource !== undefined)) return false
  return Object.entries(Condition).every(([operator, wanted]) =>
    Object.entries(wanted).every(([key, values]) => {
      const texts = listOf(values as string | boolean | number).map(String)
      return holds(operator, keys[key.toLowerCase()], texts, keys)
    }),
  )
}

/** A star is any characters and a question mark any one. */
function looksLike(text: string, pattern: string, flags: string): boolean {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|\ue000-\ue003]/g, (sign) => {
    if (sign === '*') return '.*'
    if (sign === '?') return '.'
    const literal = { '\ue001': '\\*', '\ue002': '\\?', '\ue003': '\\$' }[sign]
    return literal ?? `\\${sign}`
  })
  return new RegExp(`^${source}$`, `su${flags}`).test(text)
}

/** Variables by the request's values; their stars are held apart from the pattern's own. */
function filled(pattern: string, keys: NaiveRequest['keys']): string {
  return pattern.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value =
      name === '*' || name === '?' || name === '$' ? name : only(keys[name.toLowerCase()])
    return value.replaceAll('*', '\ue001').replaceAll('?', '\ue002').replaceAll('$', '\ue003')
  })
}

function only(values: readonly string[] | undefined): string {
  const [one, second] = values ?? []
  if (one === undefined || second !== undefined) throw new Void()
  return one
}

function holds(
  name: string,
  given: readonly string[] | undefined,
  wanted: readonly string[],
  keys: NaiveRequest['keys'],
): boolean {
  if (name === 'Null') return wanted.some((one) => (one === 'true') === (given === undefined))
  const [qualifier, plain] = name.includes(':') ? name.split(':') : ['', name]
  const base = (plain ?? '').replace(/IfExists$/, '')
  if (given === undefined && base !== plain) return true
  if (qualifier === 'ForAllValues' && given === undefined) return true
  if (qualifier === 'ForAnyValue' && given === undefined) return false
  const isNegated = /Not/.test(base)
  if (given === undefined) return isNegated
  const positive = base.replace('Not', '')
  const matches = (one: string) => wanted.some((pattern) => isSame(positive, one, pattern, keys))
  if (qualifier === 'ForAllValues') return given.every((one) => matches(one) !== isNegated)
  if (qualifier === 'ForAnyValue') return given.some((one) => matches(one) !== isNegated)
  const first = matches(given[0] ?? '')
  if (given.some((one) => matches(one) !== first)) throw new Void()
  return first !== isNegated
}

function isSame(
  operator: string,
  given: string,
  wanted: string,
  keys: NaiveRequest['keys'],
): boolean {
  switch (operator) {
    case 'StringEquals':
      return given === exact(wanted, keys)
    case 'StringEqualsIgnoreCase':
      return given.toUpperCase() === exact(wanted, keys).toUpperCase()
    case 'StringLike':
      return looksLike(given, filled(wanted, keys), '')
    case 'Bool':
      return given.toUpperCase() === exact(wanted, keys).toUpperCase()
    case 'NumericGreaterThanEquals':
      return Number(given) >= Number(wanted)
    case 'ArnEquals':
    case 'ArnLike': {
      const parts = given.split(':')
      const patterns = filled(wanted, keys).split(':')
      const last = (all: string[]) => all.slice(5).join(':')
      if (parts.length < 6 || patterns.length < 6) return false
      const first = [0, 1, 2, 3, 4].every((at) =>
        looksLike(parts[at] ?? '', patterns[at] ?? '', ''),
      )
      return first && looksLike(last(parts), last(patterns), '')
    }
    default:
      throw new Error(`the managed policies have an operator more: ${operator}`)
  }
}

function exact(wanted: string, keys: NaiveRequest['keys']): string {
  return filled(wanted, keys)
    .replaceAll('\ue001', '*')
    .replaceAll('\ue002', '?')
    .replaceAll('\ue003', '$')
}
