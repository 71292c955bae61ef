// Which principals are meant by a part of a name, or by a pattern.

/** A text with `*` is a pattern for the whole name, any other a part of it. */
export function selector(wanted: string | undefined): (principal: string) => boolean {
  if (wanted === undefined) return () => true
  if (!wanted.includes('*')) return (principal) => principal.includes(wanted)
  const parts = wanted.split('*')
  return (principal) => matches(parts, principal)
}

/** Linear: each part is looked for behind the one before. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
