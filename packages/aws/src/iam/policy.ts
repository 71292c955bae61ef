// Makes a compiled Policy from a policy document. What the grammar does not have is refused: a policy
// half read would answer as if it said less.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

import type { Json, JsonObject } from '../call.ts'
import { parseStrictJson, StrictJsonError } from '../strict-json.ts'
import { type Condition, conditionsOf } from './condition.ts'
import { PolicyError } from './errors.ts'
import { type Glob, globOf } from './glob.ts'
import { asciiLower } from './operators.ts'
import { type PrincipalElement, principalElement } from './principals.ts'
import { type Template, templateOf } from './template.ts'

/** Characters of one document; the longest policy of AWS's own has 83,000. */
export const POLICY_CHARS_MAX = 512 * 1024
export const STATEMENTS_MAX = 5_000
/** Actions, or resources, of one statement. */
export const PATTERNS_MAX = 10_000

/** What a policy hangs on; each kind can have other elements. */
export type PolicyKind = 'identity' | 'boundary' | 'session' | 'scp' | 'rcp' | 'resource' | 'trust'

export interface Statement {
  /** Its Sid, else its place in the document from 0. */
  readonly name: string
  readonly index: number
  readonly effect: 'allow' | 'deny'
  /** `not`: NotAction. Patterns are in lower case. */
  readonly actions: { readonly not: boolean; readonly patterns: readonly Glob[] }
  /** null: what the policy hangs on. */
  readonly resources: { readonly not: boolean; readonly patterns: readonly Template[] } | null
  readonly principals: PrincipalElement | null
  readonly conditions: readonly Condition[]
}

export interface Policy {
  /** A name for explanations: an ARN, or the name of an inline policy. */
  readonly name: string
  readonly kind: PolicyKind
  readonly statements: readonly Statement[]
}

const ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
])

const WITH_PRINCIPAL: ReadonlySet<PolicyKind> = new Set(['resource', 'trust', 'rcp'])

/**
 * Returns the compiled policy.
 * Errors: PolicyError with any of its codes; the message names the place, never a value.
 */
export function parsePolicy(document: string | Json, kind: PolicyKind, name: string): Policy {
  const parsed = typeof document === 'string' ? fromText(document) : document
  if (typeof document !== 'string') limitSize(document)
  const root = objectAt(parsed, 'the policy')
  for (const key of Object.keys(root)) {
    if (key !== 'Version' && key !== 'Id' && key !== 'Statement') {
      throw new PolicyError('unknown_element', 'an element beside Version, Id and Statement')
    }
  }
  const version = own(root, 'Version') ?? '2008-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw new PolicyError('wrong_element', 'a Version that does not exist')
  }
  textAt(own(root, 'Id'), 'Id')
  const list = own(root, 'Statement')
  if (list === undefined) throw new PolicyError('missing_element', 'no Statement')
  const statements = Array.isArray(list) ? list : [list]
  if (statements.length > STATEMENTS_MAX) throw new PolicyError('too_large', 'too many statements')
  const hasVariables = version === '2012-10-17'
  return {
    name,
    kind,
    statements: statements.map((one, index) =>
      statementOf(objectAt(one, `statement ${index}`), index, kind, hasVariables),
    ),
  }
}

/** A document that was parsed elsewhere, held to the limit of its text without writing it out again. */
function limitSize(document: Json): void {
  let characters = 0
  const open: Json[] = [document]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    characters += 2
    if (typeof next === 'string') characters += next.length
    else if (Array.isArray(next)) for (const one of next) open.push(one)
    else if (next !== null && typeof next === 'object') {
      for (const [key, one] of Object.entries(next)) {
        characters += key.length + 2
        open.push(one)
      }
    }
    if (characters > POLICY_CHARS_MAX) throw new PolicyError('too_large', 'the policy is too long')
  }
}

function textAt(value: Json | undefined, where: string): void {
  if (value === undefined || typeof value === 'string') return
  throw new PolicyError('wrong_element', `${where} is not a string`)
}

function fromText(text: string): Json {
  if (text.length > POLICY_CHARS_MAX) throw new PolicyError('too_large', 'the policy is too long')
  try {
    return parseStrictJson(text)
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    throw new PolicyError('not_json', `the policy is not one JSON document: ${cause.code}`, {
      cause,
    })
  }
}

function statementOf(
  statement: JsonObject,
  index: number,
  kind: PolicyKind,
  hasVariables: boolean,
): Statement {
  const where = `statement ${index}`
  for (const key of Object.keys(statement)) {
    if (!ELEMENTS.has(key)) throw new PolicyError('unknown_element', `${where} has another element`)
  }
  const effect = own(statement, 'Effect')
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new PolicyError('missing_element', `${where} has no Effect of Allow or Deny`)
  }
  const actions = oneOf(statement, 'Action', 'NotAction', where)
  if (actions === null) throw new PolicyError('missing_element', `${where} has no Action`)
  const resources = oneOf(statement, 'Resource', 'NotResource', where)
  if (resources === null && kind !== 'trust' && kind !== 'resource') {
    throw new PolicyError('missing_element', `${where} has no Resource`)
  }
  const sid = own(statement, 'Sid')
  textAt(sid, `${where}: Sid`)
  return {
    name: typeof sid === 'string' && sid !== '' ? sid : String(index),
    index,
    effect: effect === 'Allow' ? 'allow' : 'deny',
    actions: {
      not: actions.not,
      patterns: actions.values.map((text) => globOf(asciiLower(text))),
    },
    resources: resources && {
      not: resources.not,
      patterns: resources.values.map((text) => templateOf(wholeArn(text, kind), hasVariables)),
    },
    principals: principalsOf(statement, kind, where),
    conditions: conditionsOf(own(statement, 'Condition') ?? {}, hasVariables),
  }
}

/**
 * An ARN of fewer than six fields, which IAM completes with `*` in policies of identities; a session
 * policy cannot have one. A `*` of its own reaches as far.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
function wholeArn(text: string, kind: PolicyKind): string {
  if (!text.startsWith('arn:') || WITH_PRINCIPAL.has(kind)) return text
  const fields = text.replace(/\$\{[^}]*\}/g, '').split(':').length
  if (fields >= 6) return text
  if (kind !== 'session') return /[*?]/.test(text) ? text : text + ':*'.repeat(6 - fields)
  throw new PolicyError('wrong_element', 'a session policy with an ARN that is not whole')
}

function oneOf(
  statement: JsonObject,
  plain: string,
  negated: string,
  where: string,
): { not: boolean; values: string[] } | null {
  const has = Object.hasOwn(statement, plain)
  const hasNot = Object.hasOwn(statement, negated)
  if (has && hasNot) throw new PolicyError('wrong_element', `${where} has ${plain} and ${negated}`)
  if (!has && !hasNot) return null
  const value = statement[has ? plain : negated] ?? null
  const list = Array.isArray(value) ? value : [value]
  // Everything but nothing would be everything.
  if (hasNot && list.length === 0) {
    throw new PolicyError('missing_element', `${where} has an empty ${negated}`)
  }
  if (list.length > PATTERNS_MAX) throw new PolicyError('too_large', `${where} is too long`)
  const values = list.map((one) => {
    if (typeof one === 'string') return one
    throw new PolicyError('wrong_element', `${where}: ${has ? plain : negated} is not a string`)
  })
  return { not: hasNot, values }
}

function principalsOf(
  statement: JsonObject,
  kind: PolicyKind,
  where: string,
): PrincipalElement | null {
  const found = ['Principal', 'NotPrincipal'].filter((name) => Object.hasOwn(statement, name))
  const [name, second] = found
  if (second !== undefined) throw new PolicyError('wrong_element', `${where} has two principals`)
  if (name === undefined) {
    if (!WITH_PRINCIPAL.has(kind)) return null
    throw new PolicyError('missing_element', `${where} has no Principal`)
  }
  if (!WITH_PRINCIPAL.has(kind)) {
    throw new PolicyError('wrong_element', `${where}: a policy of this kind has no Principal`)
  }
  const element = principalElement(statement[name] ?? null, name === 'NotPrincipal')
  const isEmpty = !element.everybody && [...element.named.values()].every(({ size }) => size === 0)
  if (isEmpty && element.not) {
    throw new PolicyError('missing_element', `${where} has an empty NotPrincipal`)
  }
  return element
}

/** An element that the document itself has, not one that every object inherits. */
function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function objectAt(value: Json, where: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new PolicyError('wrong_element', `${where} is not an object`)
  }
  return value as JsonObject
}
