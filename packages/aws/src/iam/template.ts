// A value of a policy with its variables: `${aws:username}`, `${key, 'default'}`, and the literals
// `${*}`, `${?}`, `${$}`. Only version 2012-10-17 has them; before it they are plain text.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

import { PolicyError } from './errors.ts'
import { ANY, compiled, type Glob, type Unit, unitsOf } from './glob.ts'
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
  /** A variable has no value: this does not match, and the whole statement may be invalid. */
  | { readonly is: 'void'; readonly key: string }
  | {
      readonly is: 'unknown'
      readonly key: string
      /** Matches whatever the pattern could match with any value; may match more. */
      readonly atMost: Glob
      /** The variable may turn out to have no value. */
      readonly maybeVoid: boolean
    }

const LITERALS: ReadonlySet<string> = new Set(['*', '?', '$'])

/**
 * `wild` false: `*` and `?` stand for themselves, as in StringEquals.
 * Errors: `wrong_element` for a variable that is not closed or not written as one.
 */
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
  if (text.slice(from).includes('${')) throw new PolicyError('wrong_element', 'an open variable')
  const joined = joinedUnits(parts)
  return joined ? { parts: [joined], fixed: compiled(joined) } : { parts, fixed: null }
}

/** A key, with or without a default in single quotes. What is neither is refused, not read by half. */
function variableOf(inside: string): Unit[] | Variable {
  if (LITERALS.has(inside)) return [inside]
  const found = /^\s*([^\s,'"${][^,'"${]*?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside)
  const [, key, fallback = null] = found ?? []
  if (key === undefined) throw new PolicyError('wrong_element', 'a variable that cannot be read')
  return { key: key.toLowerCase(), fallback }
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
 * The pattern with its variables filled. A value's own `*` and `?` stand for themselves; a key without
 * a value fills nothing, and what one with several fills is not said anywhere.
 */
export function expand(template: Template, context: RequestContext): Expanded {
  if (template.fixed !== null) return { is: 'known', glob: template.fixed }
  const units: Unit[] = []
  let empty: string | null = null
  let unknown: string | null = null
  let maybeVoid = false
  for (const part of template.parts) {
    if (!('key' in part)) {
      for (const unit of part) units.push(unit)
      continue
    }
    const value = context.keys.get(part.key)
    const several = (value?.length ?? 0) > 1
    if (several || (value === undefined && context.others === 'unknown')) {
      unknown ??= part.key
      maybeVoid ||= several || part.fallback === null
      units.push(ANY)
      continue
    }
    const text = value?.[0] ?? part.fallback
    if (text === null) empty ??= part.key
    else for (const character of text) units.push(character)
  }
  if (empty !== null) return { is: 'void', key: empty }
  const glob = compiled(units)
  return unknown === null
    ? { is: 'known', glob }
    : { is: 'unknown', key: unknown, atMost: glob, maybeVoid }
}
