// A policy's conditions as a small closed tree, made from Cedar's JSON form of the policy. What
// this file does not know is refused here, so that the checks built on the tree cannot pass over
// it.
// Source: https://docs.cedarpolicy.com/policies/json-format.html
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'

export type Variable = 'principal' | 'action' | 'resource' | 'context'

export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'constant' }
  | { readonly kind: 'entity'; readonly type: string; readonly id: string }
  | { readonly kind: 'variable'; readonly name: Variable }
  /** `left.attr`, or `left has attr` where `only` is `presence`. */
  | {
      readonly kind: 'attribute'
      readonly left: Expression
      readonly attr: string
      readonly only: 'value' | 'presence'
    }
  | { readonly kind: 'if'; readonly parts: readonly [Expression, Expression, Expression] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }

/** The deepest expression accepted; Cedar's own WASM dies at a few hundred (hazard 1). */
export const EXPRESSION_DEPTH_MAX = 100

const VARIABLES: readonly string[] = ['principal', 'action', 'resource', 'context']
const UNARY = new Set(['!', 'neg', 'isEmpty'])
const BINARY = new Set(
  '== != in < <= > >= && || + - * contains containsAll containsAny getTag hasTag'.split(' '),
)
const EXTENSIONS = new Set(
  (
    'ip decimal datetime duration offset durationSince toDate toTime toMilliseconds toSeconds ' +
    'toMinutes toHours toDays lessThan lessThanOrEqual greaterThan greaterThanOrEqual ' +
    'isIpv4 isIpv6 isLoopback isMulticast isInRange'
  ).split(' '),
)

/** Why an expression was refused; the caller knows which policy it stands in. */
export class ExpressionFault extends Error {
  readonly code: 'policy_unparsable' | 'reserved_name'
  readonly help: string

  constructor(code: ExpressionFault['code'], message: string, help: string) {
    super(message)
    this.name = 'ExpressionFault'
    this.code = code
    this.help = help
  }
}

/** The tree of one condition; throws ExpressionFault on depth, reserved names and unknown forms. */
export function expressionOf(expr: Cedar.Expr, depth = 1): Expression {
  if (depth > EXPRESSION_DEPTH_MAX) {
    throw new ExpressionFault(
      'policy_unparsable',
      `the condition is nested deeper than ${EXPRESSION_DEPTH_MAX}`,
      'split the policy, or write `["a", "b"].contains(x)` in place of a chain of `||`',
    )
  }
  const entries = Object.entries(expr)
  const [name, body] = entries[0] ?? ['nothing', null]
  if (entries.length !== 1) throw unknownForm(entries.map(([key]) => key).join(', '))
  const inner = (child: unknown) => expressionOf(child as Cedar.Expr, depth + 1)
  if (name === 'Value') return constantOf(body)
  if (name === 'Var') return variableOf(body)
  if (Array.isArray(body)) return listOf(name, body, inner)
  if (typeof body !== 'object' || body === null) throw unknownForm(name)
  return formOf(name, body as Readonly<Record<string, unknown>>, inner)
}

/** The expressions directly inside one. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'attribute':
      return [expression.left]
    case 'if':
      return expression.parts
    case 'call':
      return expression.args
    case 'text':
    case 'constant':
    case 'entity':
    case 'variable':
      return []
  }
}

function formOf(
  name: string,
  body: Readonly<Record<string, unknown>>,
  inner: (child: unknown) => Expression,
): Expression {
  const { left, right, arg } = body
  if (UNARY.has(name)) return { kind: 'call', name, args: [inner(arg)] }
  if (BINARY.has(name)) return { kind: 'call', name, args: [inner(left), inner(right)] }
  if (name === 'like') return { kind: 'call', name, args: [inner(left)] }
  if (name === '.' || name === 'has') return attributeOf(name, body, inner(left))
  if (name === 'is') {
    const within = body['in']
    return {
      kind: 'call',
      name: within === undefined ? 'is' : 'is in',
      args: within === undefined ? [inner(left)] : [inner(left), inner(within)],
    }
  }
  if (name === 'if-then-else') {
    return { kind: 'if', parts: [inner(body['if']), inner(body['then']), inner(body['else'])] }
  }
  if (name === 'Record') {
    for (const key of Object.keys(body)) refuseReserved(key)
    return { kind: 'call', name: 'Record', args: Object.values(body).map(inner) }
  }
  throw unknownForm(name)
}

function attributeOf(
  name: '.' | 'has',
  body: Readonly<Record<string, unknown>>,
  left: Expression,
): Expression {
  const attr: unknown = body['attr']
  // `context has a.b` arrives as a list: the first name is what is read of the left side.
  const path: readonly unknown[] = Array.isArray(attr) ? attr : [attr]
  const first = path[0]
  if (typeof first !== 'string') throw unknownForm(name)
  return { kind: 'attribute', left, attr: first, only: name === 'has' ? 'presence' : 'value' }
}

function listOf(
  name: string,
  body: readonly unknown[],
  inner: (child: unknown) => Expression,
): Expression {
  if (name === 'unknown') {
    throw new ExpressionFault(
      'reserved_name',
      'the policy calls `unknown`',
      'partial evaluation is not used here; write the condition out',
    )
  }
  if (name !== 'Set' && !EXTENSIONS.has(name)) throw unknownForm(name)
  return { kind: 'call', name, args: body.map(inner) }
}

function constantOf(value: unknown): Expression {
  if (typeof value === 'string') return { kind: 'text', text: value }
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'constant' }
  if (typeof value === 'object' && value !== null && '__entity' in value) {
    const { type, id } = value.__entity as Cedar.TypeAndId
    return { kind: 'entity', type, id }
  }
  throw unknownForm('Value')
}

function variableOf(name: unknown): Expression {
  if (typeof name !== 'string' || !VARIABLES.includes(name)) throw unknownForm('Var')
  return { kind: 'variable', name: name as Variable }
}

function refuseReserved(key: string): void {
  if (key !== '__entity' && key !== '__extn') return
  throw new ExpressionFault(
    'reserved_name',
    `the policy uses the reserved name \`${key}\``,
    'rename the attribute: Cedar reads this name in JSON as an entity or an extension value',
  )
}

function unknownForm(name: string): ExpressionFault {
  return new ExpressionFault(
    'policy_unparsable',
    `the policy uses the form \`${name}\`, which is not known here`,
    'write the condition without it',
  )
}
