// Parts of Node that files of the worker name and never call there: folders and temporary files of long scans.

function none(): never {
  throw new Error('a browser does not have this')
}

export { none as join, none as tmpdir }

/** Whether two values of JSON are one. Source: https://nodejs.org/docs/latest-v24.x/api/util.html */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isDeepStrictEqual(left[name], right[name]))
  )
}
