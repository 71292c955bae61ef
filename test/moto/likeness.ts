// Makes two outputs of one command comparable: what AWS draws by lot or reads from a clock becomes a
// name of its kind, numbered in the order it comes; everything else stays as it was printed.

/** Kinds of values that no two accounts share, the more exact first. */
const DRAWN: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['time', /\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g],
  ['time', /\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d/g],
  ['time', /\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT/g],
  ['suffix', /(?<=:secret:[a-z]+-)[A-Za-z0-9]{6}\b/g],
  ['uuid', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi],
  ['port', /\b127\.0\.0\.1:\d{2,5}\b/g],
  ['id', /\b(?:[a-z]+-)?[0-9a-f]{16,17}\b/g],
  ['id', /\b(?:vpc|dopt|acl|sg|rtb|subnet|igw|o|r)-[0-9a-z]{4,17}\b/g],
  ['id', /\b[0-9A-Z]{16,26}\b/g],
  ['id', /\b[0-9a-f]{32}\b/g],
]

/** Members whose whole value is drawn or read from a clock, by the name that AWS gives them. */
const DRAWN_MEMBERS =
  /(?:Date|NotBefore|NotAfter|Time|Timestamp|At|Token|RequestId|Id|Etag|ETag|SequenceNumber|VersionId|HostId|Suffix|createdDate|creationTime|CreatedTime|DateTime|CodeSha256|SequenceToken|rootResourceId)$/i

/** What is compared: JSON with its drawn values named, or the text likewise. */
export function likeness(out: string): string {
  const names = new Names()
  try {
    return JSON.stringify(walk(JSON.parse(out), '', names), null, 1)
  } catch {
    return names.named(out)
  }
}

class Names {
  readonly #seen = new Map<string, string>()

  name(kind: string, value: string): string {
    const known = this.#seen.get(value)
    if (known !== undefined) return known
    const name = `<${kind} ${this.#seen.size + 1}>`
    // Times are not told apart: two that fell into one second here may not there.
    if (kind === 'time') return '<time>'
    this.#seen.set(value, name)
    return name
  }

  named(text: string): string {
    return DRAWN.reduce(
      (line, [kind, pattern]) => line.replace(pattern, (value) => this.name(kind, value)),
      text,
    )
  }
}

function walk(value: unknown, member: string, names: Names): unknown {
  if (Array.isArray(value)) return value.map((each) => walk(each, member, names))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, each]) => [name, walk(each, name, names)]),
    )
  }
  if (typeof value === 'number' && DRAWN_MEMBERS.test(member)) return '<number>'
  if (typeof value !== 'string') return value
  const named = names.named(value)
  return named === value && DRAWN_MEMBERS.test(member) ? names.name('drawn', value) : named
}
