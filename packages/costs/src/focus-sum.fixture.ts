// The other way to the same sums, for tests: a CSV reader and BigInt additions that share nothing
// with the store. Amounts are in 10^-18.

const SCALE = 18

/** The rows of a CSV text as objects; an empty field and a bare NULL are ''. */
export function csvRows(text: string): Record<string, string>[] {
  const records = csvRecords(text)
  const header = records.shift() ?? []
  return records.map((fields) =>
    Object.fromEntries(
      header.map((name, n) => [name, fields[n] === 'NULL' ? '' : (fields[n] ?? '')]),
    ),
  )
}

function csvRecords(text: string): string[][] {
  const records: string[][] = []
  let fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (isQuoted) {
      if (character !== '"') field += character
      else if (text[at + 1] === '"') {
        field += '"'
        at += 1
      } else isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === ',') {
      fields.push(field)
      field = ''
    } else if (character === '\n') {
      records.push([...fields, field])
      fields = []
      field = ''
    } else if (character !== '\r') field += character
  }
  if (field !== '' || fields.length > 0) records.push([...fields, field])
  return records
}

/** Plain decimal text in 10^-18. */
export function units(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,18}))?$/.exec(text)
  if (match === null) throw new Error(`not a plain decimal: ${text}`)
  const magnitude = BigInt((match[2] ?? '') + (match[3] ?? '').padEnd(SCALE, '0'))
  return match[1] === '-' ? -magnitude : magnitude
}

/** The sum of one column per key. */
export function sumBy(
  rows: readonly Record<string, string>[],
  column: string,
  key: (row: Record<string, string>) => string,
): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const row of rows) {
    const amount = units(row[column] ?? '')
    sums.set(key(row), (sums.get(key(row)) ?? 0n) + amount)
  }
  return sums
}

/** The sum of one column. */
export function sumOf(rows: readonly Record<string, string>[], column: string): bigint {
  return sumBy(rows, column, () => '').get('') ?? 0n
}
