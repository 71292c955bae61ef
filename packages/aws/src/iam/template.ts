// A value of a policy with its variables: `${aws:username}`, `${key, 'default'}`, and the literals
// `${*}`, `${?}`, `${$}`. Only version 2012-10-17 has them; before it they are plain text.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

import { compiled, type Glob, type Unit, unitsOf } from './glob.ts'
import type { RequestContext } from './request.ts'

export interface Variable {
  /** In lower case. */
  readonly key: string
  readonly fallback: string | null
}

export interface Template {
  readonly parts: readonly (readonly Unit[] | Variable)[]
  /** The pattern itself, where it has no variable. */
  readonly fixed: Glob | null
}

export type Expanded =
  | { readonly is: 'known'; readonly glob: Glob }
  /** A variable has no value: what holds it does not match. */
  | { readonly is: 'void' }
  | { readonly is: 'unknown'; readonly key: string }

const LITERALS: Readonly<Record<string, string>> = { '*': '*', '?': '?', $: '$' }

/** `wild` false: `*` and `?` stand for themselves, as in StringEquals. */
export function templateOf(text: string, hasVariables: boolean, wild = true): Template {
  const plain = (piece: string): Unit[] => (wild ? unitsOf(piece) : Array.from(piece))
  if (!hasVariables || !text.includes('${')) {
    const units = plain(text)
    return { parts: [units], fixed: compiled(units) }
  }
  const parts: (Unit[] | Variable)[] = []
  let from = 0
  for (const found of text.matchAll(/\$\{([^}]*)\}/g)) {
    parts.push(plain(text.slice(from, found.index)), variableOf(found[1] ?? ''))
    from = found.index + found[0].length
  }
  parts.push(plain(text.slice(from)))
  const joined = joinedUnits(parts)
  return joined ? { parts: [joined], fixed: compiled(joined) } : { parts, fixed: null }
}

function variableOf(inside: string): Unit[] | Variable {
  const literal = LITERALS[inside]
  if (literal !== undefined) return [literal]
  const [, key = inside, fallback = null] = /^\s*([^,]*?)\s*,\s*'([^']*)'\s*$/.exec(inside) ?? []
  return { key: key.trim().toLowerCase(), fallback }
}

function joinedUnits(parts: readonly (Unit[] | Variable)[]): Unit[] | null {
  const units: Unit[] = []
  for (const part of parts) {
    if (!Array.isArray(part)) return null
    units.push(...part)
  }
  return units
}

/**
 * The pattern with its variables filled. A value's own `*` and `?` stand for themselves; a key with
 * several values or none fills nothing.
 */
export function expand(template: Template, context: RequestContext): Expanded {
  if (template.fixed !== null) return { is: 'known', glob: template.fixed }
  const units: Unit[] = []
  for (const part of template.parts) {
    if (!('key' in part)) {
      units.push(...part)
      continue
    }
    const value = context.keys.get(part.key)
    if (value === undefined && context.others === 'unknown') return { is: 'unknown', key: part.key }
    const text = value?.length === 1 ? value[0] : value?.length ? undefined : part.fallback
    if (text === undefined || text === null) return { is: 'void' }
    units.push(...Array.from(text))
  }
  return { is: 'known', glob: compiled(units) }
}
