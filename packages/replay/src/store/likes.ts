// Finds calls that differ in nothing but the names of what they touch. Where no rule reads such a name,
// all of them have one answer, and one of them is asked about.

import { TEXT_LENGTH_MAX } from '@seconder/gateway/decide/request'
import type { KnownCall } from './known-call.ts'

/** For each call the number of the first that is like it. */
export function likesOf(calls: readonly string[]): Uint32Array {
  const firsts = new Map<string, number>()
  return Uint32Array.from(calls, (text, index) => {
    const key = shapeOf(text)
    if (key === null) return index
    const first = firsts.get(key)
    if (first !== undefined) return first
    firsts.set(key, index)
    return index
  })
}

/** Everything of a call but the names; null where nothing may be left out. */
function shapeOf(text: string): string | null {
  const known = JSON.parse(text) as KnownCall
  if (known.is !== 'call') return null
  const { meaning } = known
  // A text that is too long or no Unicode is refused by itself, and so is a call of too many names.
  if (text.length > TEXT_LENGTH_MAX || !text.isWellFormed() || text.includes('__')) return null
  if (meaning.innerCalls !== undefined || /\\ud/i.test(text)) return null
  const resources = meaning.resources.map(({ arn, ...rest }) => ({
    ...rest,
    owner: arn.split(':')[4] ?? '',
    role: arn === '*' || /^arn:[^:]*:iam::/.test(arn),
  }))
  return JSON.stringify({ ...known, meaning: { ...meaning, parameters: {}, resources } })
}
