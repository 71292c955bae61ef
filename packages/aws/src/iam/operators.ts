// The condition operators of IAM: for each, what it compares and whether it is the negated form.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

import { compiled, type Glob } from './glob.ts'
import { ipRange, liesIn } from './ip-range.ts'
import { type Truth, truth } from './truth.ts'

/** `unknown`: one of the two is no value of the operator's kind. */
export type Compare = (given: string, wanted: Glob) => Truth

export interface Operator {
  readonly negated: boolean
  /** Whether `*` and `?` in a policy's value are wild. */
  readonly wild: boolean
  /** Whether a policy's value may hold variables; for the other kinds they are plain text. */
  readonly variables: boolean
  /** Whether values are compared without regard to case. */
  readonly folded: boolean
  readonly compare: Compare
}

const equals: Compare = (given, wanted) => truth(given === wanted.literal)
const like: Compare = (given, wanted) => truth(wanted.test(given))
/** Nothing says how case folds beyond ASCII (the Kelvin sign is a small k to Unicode): unknown there. */
const equalsIgnoreCase: Compare = (given, wanted) => {
  const literal = wanted.literal ?? ''
  if (given === literal || asciiLower(given) === asciiLower(literal)) return 'yes'
  return given.toLowerCase() === literal.toLowerCase() ? 'unknown' : 'no'
}

export function asciiLower(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text.toLowerCase()
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function ordered(
  read: (text: string) => number | undefined,
  holds: (given: number, wanted: number) => boolean,
): Compare {
  return (given, wanted) => {
    const left = read(given)
    const right = read(wanted.literal ?? '')
    return left === undefined || right === undefined ? 'unknown' : truth(holds(left, right))
  }
}

/** Past 2^53 two numbers may look the same that are not: no number here. */
function number(text: string): number | undefined {
  if (!/^[+-]?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?$/.test(text)) return undefined
  const value = Number(text)
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : undefined
}

/** ISO 8601 of the W3C profile, or whole seconds since 1970. Source: https://www.w3.org/TR/NOTE-datetime */
function instant(text: string): number | undefined {
  if (/^-?\d{5,15}$/.test(text)) return Number(text) * 1_000
  const form = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/
  const value = form.test(text) && isDay(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(value) ? undefined : value
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(text: string): boolean {
  const [year, month = 1, day = 1] = text.slice(0, 10).split('-').map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year ?? Number.NaN, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** `true` and `false` without regard to case; any other value of the request is neither. */
const bool: Compare = (given, wanted) => {
  const text = wanted.literal?.toLowerCase()
  if (text !== 'true' && text !== 'false') return 'unknown'
  return truth(given.toLowerCase() === text)
}

const binary: Compare = (given, wanted) => {
  const [left, right] = [base64(given), base64(wanted.literal ?? '')]
  return left === undefined || right === undefined ? 'unknown' : truth(left === right)
}

function base64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  return Buffer.from(text, 'base64').toString('base64')
}

const address: Compare = (given, wanted) => {
  const [left, right] = [ipRange(given), ipRange(wanted.literal ?? '')]
  return left === undefined || right === undefined ? 'unknown' : truth(liesIn(left, right))
}

/**
 * Each of the first five parts of an ARN is compared with its own pattern, the rest as one: a `*`
 * reaches over no colon but those of the last part. A value that is no ARN is not like one; what a
 * pattern with fewer parts stands for is not said anywhere.
 */
const arn: Compare = (given, wanted) => {
  const parts = arnParts(Array.from(given))
  const patterns = arnParts(wanted.units)
  if (patterns === undefined) return wanted.test(given) ? 'unknown' : 'no'
  if (parts === undefined) return 'no'
  return truth(
    patterns.every((pattern, index) => compiled(pattern).test((parts[index] ?? []).join(''))),
  )
}

type Units = Glob['units']

function arnParts(units: Units): Units[] | undefined {
  const parts: Units[number][][] = [[]]
  for (const unit of units) {
    if (unit === ':' && parts.length < 6) parts.push([])
    else parts.at(-1)?.push(unit)
  }
  // A pattern of one `*` alone is all ARNs.
  if (parts.length === 1 && units.length === 1 && typeof units[0] === 'symbol') {
    return Array.from({ length: 6 }, () => units)
  }
  return parts.length === 6 ? parts : undefined
}

const STRING = { wild: false, variables: true, folded: false } as const
const FOLDED = { wild: false, variables: true, folded: true } as const
const PATTERN = { wild: true, variables: true, folded: false } as const
const PLAIN = { wild: false, variables: false, folded: false } as const

/** One row an operator, by its name in lower case; `null` is the presence test. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  stringequals: { ...STRING, negated: false, compare: equals },
  stringnotequals: { ...STRING, negated: true, compare: equals },
  stringequalsignorecase: { ...FOLDED, negated: false, compare: equalsIgnoreCase },
  stringnotequalsignorecase: { ...FOLDED, negated: true, compare: equalsIgnoreCase },
  stringlike: { ...PATTERN, negated: false, compare: like },
  stringnotlike: { ...PATTERN, negated: true, compare: like },
  numericequals: { ...PLAIN, negated: false, compare: ordered(number, (a, b) => a === b) },
  numericnotequals: { ...PLAIN, negated: true, compare: ordered(number, (a, b) => a === b) },
  numericlessthan: { ...PLAIN, negated: false, compare: ordered(number, (a, b) => a < b) },
  numericlessthanequals: { ...PLAIN, negated: false, compare: ordered(number, (a, b) => a <= b) },
  numericgreaterthan: { ...PLAIN, negated: false, compare: ordered(number, (a, b) => a > b) },
  numericgreaterthanequals: {
    ...PLAIN,
    negated: false,
    compare: ordered(number, (a, b) => a >= b),
  },
  dateequals: { ...PLAIN, negated: false, compare: ordered(instant, (a, b) => a === b) },
  datenotequals: { ...PLAIN, negated: true, compare: ordered(instant, (a, b) => a === b) },
  datelessthan: { ...PLAIN, negated: false, compare: ordered(instant, (a, b) => a < b) },
  datelessthanequals: { ...PLAIN, negated: false, compare: ordered(instant, (a, b) => a <= b) },
  dategreaterthan: { ...PLAIN, negated: false, compare: ordered(instant, (a, b) => a > b) },
  dategreaterthanequals: { ...PLAIN, negated: false, compare: ordered(instant, (a, b) => a >= b) },
  bool: { ...FOLDED, negated: false, compare: bool },
  binaryequals: { ...PLAIN, negated: false, compare: binary },
  ipaddress: { ...PLAIN, negated: false, compare: address },
  notipaddress: { ...PLAIN, negated: true, compare: address },
  arnequals: { ...PATTERN, negated: false, compare: arn },
  arnlike: { ...PATTERN, negated: false, compare: arn },
  arnnotequals: { ...PATTERN, negated: true, compare: arn },
  arnnotlike: { ...PATTERN, negated: true, compare: arn },
}

/** The operator of this name, in any case; undefined where IAM has none. */
export function operatorOf(name: string): Operator | undefined {
  const lower = name.toLowerCase()
  return Object.hasOwn(OPERATORS, lower) ? OPERATORS[lower] : undefined
}
