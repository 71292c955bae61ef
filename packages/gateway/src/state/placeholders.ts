// The `?` of the state's SQL as the `$1`, `$2`, ... of PostgreSQL. Statements are constants of this
// program, so what was rewritten once is kept.

/** Statements kept at most; past it, all are rewritten anew. */
const KEPT_MAX = 2_048
const kept = new Map<string, string>()
/** A string, a quoted name, or a placeholder. */
const PARTS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g

export function numbered(sql: string): string {
  const known = kept.get(sql)
  if (known !== undefined) return known
  let count = 0
  const made = sql.replace(PARTS, (part) => {
    if (part !== '?') return part
    count += 1
    return `$${count}`
  })
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(sql, made)
  return made
}
