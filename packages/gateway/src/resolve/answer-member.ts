// Members out of an answer by a path of wire names, JSON and XML alike: `Reservations.Instances`,
// `DBInstances.DBInstance`. Lists are walked through at every step. Nothing is converted or defaulted
// but the digits and flags that XML writes as text.
import type { Json, JsonObject } from '@seconder/aws/call'
import { isDecimal } from '@seconder/aws/strict-json'
import type { XmlTree } from './answer-xml.ts'
import { asObject, memberAt, secondsAt } from './member.ts'

/** The tree under plain names: an element that repeats is a list, one without children its text. */
export function plainXml(tree: XmlTree): Json {
  if (tree.children.length === 0) return tree.text
  const groups = Map.groupBy(tree.children, (child) => child.name)
  return Object.fromEntries(
    [...groups].map(([name, children]) => {
      const values = children.map(plainXml)
      return [name, values.length === 1 ? (values[0] ?? null) : values]
    }),
  )
}

/** An answer of the query protocol has its content one element down. */
export function unwrapped(tree: XmlTree): JsonObject | null {
  const [only] = tree.children.filter((child) => child.name.endsWith('Result'))
  const inner = tree.name.endsWith('Response') && only !== undefined ? only : tree
  return inner.children.length === 0 ? {} : asObject(plainXml(inner))
}

/** Everything at the path, in the order of the answer; an empty path is the answer itself. */
export function valuesAt(answer: Json, path: string): Json[] {
  let at: Json[] = flat(answer)
  for (const name of path === '' ? [] : path.split('.')) {
    at = at.flatMap((value) => flat(memberAt(asObject(value), name) ?? null))
  }
  return at
}

/** False where the answer has not even an empty place for the path: it is not the answer that was asked for. */
export function hasPlace(answer: JsonObject, path: string): boolean {
  const [first = ''] = path.split('.')
  return first === '' || Object.hasOwn(answer, first)
}

function flat(value: Json): Json[] {
  if (Array.isArray(value)) return value.flatMap(flat)
  return value === null ? [] : [value]
}

export function objectsAt(answer: Json, path: string): JsonObject[] {
  return valuesAt(answer, path)
    .map(asObject)
    .filter((value) => value !== null)
}

/** Texts at the path, numbers and flags as they are written; empty ones are left out. */
export function textsAt(answer: Json, path: string): string[] {
  return valuesAt(answer, path)
    .map((value) => (isDecimal(value) ? value.decimal : value))
    .filter((value) => /^(string|number|boolean)$/.test(typeof value))
    .map(String)
    .filter((text) => text !== '')
}

export function oneText(answer: Json, path: string): string | null {
  return textsAt(answer, path)[0] ?? null
}

/** A count, also where XML or a map of attributes has it as digits. */
export function oneCount(answer: Json, path: string): number | null {
  const text = oneText(answer, path)
  if (text === null || !/^\d{1,15}$/.test(text)) return null
  return Number(text)
}

/** An ISO time of what is at the path: ISO in XML, seconds since the epoch in JSON. */
export function oneTime(answer: Json, path: string): string | null {
  const [step = '', ...rest] = path.split('.').reverse()
  const parents = rest.length === 0 ? [answer] : valuesAt(answer, rest.reverse().join('.'))
  for (const parent of parents) {
    const object = asObject(parent)
    const seconds = secondsAt(object, step)
    const written = memberAt(object, step)
    const ms =
      seconds !== null
        ? Math.round(Number(seconds) * 1000)
        : typeof written === 'string' && /^\d{4}-\d\d-\d\dT/.test(written)
          ? Date.parse(written)
          : Number.NaN
    if (Number.isFinite(ms) && Math.abs(ms) <= 8.64e15) return new Date(ms).toISOString()
  }
  return null
}
