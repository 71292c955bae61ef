// A small evaluator of session policies for the tests, written from the IAM User Guide and from nothing
// of the code under test: Allow, Deny, Action, NotAction, Resource and the conditions that occur.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action?: string | readonly string[]
  readonly NotAction?: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >
}

/** One request; a context key that is absent is absent from the request too. */
export interface Asked {
  readonly action: string
  readonly resource: string
  readonly context?: Readonly<Record<string, string | readonly string[]>>
}

/** `denied` is explicit, `implicit` only not allowed. */
export function evaluated(policy: string, asked: Asked): 'allowed' | 'denied' | 'implicit' {
  const { Version, Statement } = JSON.parse(policy) as {
    Version: string
    Statement: readonly Statement[]
  }
  if (Version !== '2012-10-17') throw new Error('variables and their escapes need 2012-10-17')
  const matching = Statement.filter((statement) => applies(statement, asked))
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'denied'
  return matching.length > 0 ? 'allowed' : 'implicit'
}

function applies(statement: Statement, { action, resource, context = {} }: Asked): boolean {
  const inActions = (list: string | readonly string[]) =>
    many(list).some((pattern) => globOf(pattern, 'i').test(action))
  const named =
    statement.NotAction === undefined
      ? inActions(statement.Action ?? [])
      : !inActions(statement.NotAction)
  if (!named) return false
  if (!many(statement.Resource).some((pattern) => globOf(pattern, '').test(resource))) return false
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, context[key], many(wanted))),
  )
}

function holds(
  operator: string,
  given: string | readonly string[] | undefined,
  wanted: readonly string[],
): boolean {
  switch (operator) {
    case 'Null':
      return wanted.includes(String(given === undefined))
    case 'StringNotEquals':
      return given === undefined || !wanted.includes(String(given))
    case 'StringLike':
      return given !== undefined && wanted.some((text) => globOf(text, '').test(String(given)))
    case 'ForAnyValue:StringEquals':
      return given !== undefined && many(given).some((value) => wanted.includes(value))
    default:
      throw new Error(`the evaluator does not know ${operator}`)
  }
}

function many(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

/** `*` and `?` are wild, `${*}`, `${?}` and `${$}` are not; any other variable is a mistake here. */
function globOf(pattern: string, flags: string): RegExp {
  const source = pattern.replace(/\$\{(.*?)\}|[*?]|[^*?$]+|\$/gs, (piece, variable?: string) => {
    if (variable !== undefined) {
      if (!/^[*?$]$/.test(variable)) throw new Error('a policy variable in a session policy')
      return `\\${variable}`
    }
    if (piece === '*') return '.*'
    return piece === '?' ? '.' : piece.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, `s${flags}`)
}
