// Fills the ARN format of a resource type from the members that a row of our table lists. A row's
// sources and a format's variables are taken apart once and kept. Pure; nothing here is guessed.

import type { CallResource, Json, JsonObject } from '../call.ts'
import type { ArnRow } from '../index/model.ts'
import { fitsFormat } from './arn.ts'
import { stepsOf, valuesAtSteps } from './condition.ts'
import { normalise, type Surroundings, takesArns } from './normalise.ts'

interface Filled {
  readonly text: string
  /** A full ARN stands for the whole resource, not for one variable. */
  readonly isArn: boolean
}

/** One source of a variable, taken apart: `=text` is a constant, `A.B@C|form` the rest. */
interface Source {
  readonly constant: Filled | null
  readonly steps: readonly string[]
  readonly under: string
  readonly form: string
}

interface RowPlan {
  readonly fill: readonly { readonly placeholder: string; readonly sources: readonly Source[] }[]
  /** The top-level members the row reads. */
  readonly members: readonly string[]
}

const plans = new WeakMap<ArnRow, RowPlan>()

function planOf(row: ArnRow): RowPlan {
  let plan = plans.get(row)
  if (plan === undefined) {
    const fill = Object.entries(row.fill).map(([variable, sources]) => ({
      placeholder: `\${${variable}}`,
      sources: sources.map(sourceOf),
    }))
    const sources = Object.values(row.fill).flat()
    plan = { fill, members: sources.map((source) => source.split(/[.|@]/)[0] ?? '') }
    plans.set(row, plan)
  }
  return plan
}

function sourceOf(source: string): Source {
  if (source.startsWith('=')) {
    return { constant: { text: source.slice(1), isArn: false }, steps: [], under: '', form: '' }
  }
  const [place = '', form = 'plain'] = source.split('|')
  const [path = '', under = ''] = place.split('@')
  return { constant: null, steps: stepsOf(path), under, form }
}

/** The top-level members that a row reads. */
export function membersRead(row: ArnRow): readonly string[] {
  return planOf(row).members
}

/** The resources that the row's members name: exact, or `*` and not resolved where one is not sure. */
export function filledArns(
  row: ArnRow,
  format: string | undefined,
  parameters: JsonObject,
  here: Surroundings,
  resourcesMax: number,
): CallResource[] {
  if (format === undefined) return []
  const owned = ownedBy(row, parameters, here)
  let partial: string[] = [based(format, owned)]
  for (const { placeholder, sources } of planOf(row).fill) {
    const values = variableValues(sources, parameters, here)
    if (values.length === 0) return []
    const sure: Filled[] = []
    for (const value of values) {
      if (value === undefined) return [{ arn: '*', type: row.type, resolved: false }]
      sure.push(value)
    }
    if (sure.some((value) => value.isArn)) return wholeArns(row, format, sure, owned)
    partial = partial.flatMap((arn) => sure.map(({ text }) => put(arn, placeholder, text)))
    if (partial.length > resourcesMax) return [{ arn: '*', type: row.type, resolved: false }]
  }
  return partial.map((arn) =>
    arn.includes('${')
      ? { arn: '*', type: row.type, resolved: false }
      : { arn, type: row.type, resolved: row.wide !== true },
  )
}

/** `text` with the first `placeholder` replaced by `value` as it stands. */
export function put(text: string, placeholder: string, value: string): string {
  const at = text.indexOf(placeholder)
  return at < 0 ? text : text.slice(0, at) + value + text.slice(at + placeholder.length)
}

/** The surroundings with the account that the row's member names, where it names one. */
function ownedBy(row: ArnRow, parameters: JsonObject, here: Surroundings): Surroundings {
  const owner = row.account === undefined ? undefined : parameters[row.account]
  return typeof owner === 'string' && /^\d{12}$/.test(owner) ? { ...here, account: owner } : here
}

/** Full ARNs beside names: each ARN must fit the type, each name must fill the only variable. */
function wholeArns(
  row: ArnRow,
  format: string,
  values: readonly Filled[],
  here: Surroundings,
): CallResource[] {
  return values.map((value) => {
    if (value.isArn && fitsFormat(value.text, format)) {
      return { arn: value.text, type: row.type, resolved: true }
    }
    const [only, second] = Object.keys(row.fill)
    if (value.isArn || only === undefined || second !== undefined) {
      return { arn: '*', type: row.type, resolved: false }
    }
    const arn = put(based(format, here), `\${${only}}`, value.text)
    return { arn, type: row.type, resolved: true }
  })
}

/**
 * The values of one variable by the first source that is there: a constant, or the member at the path
 * under its form. Undefined stands for a value that the form does not take.
 */
function variableValues(
  sources: readonly Source[],
  parameters: JsonObject,
  here: Surroundings,
): (Filled | undefined)[] {
  for (const { constant, steps, under, form } of sources) {
    if (constant !== null) return [constant]
    const found = valuesAtSteps(parameters, steps)
    if (found.length === 0) continue
    const values = found.flatMap(flat).map(below(parameters, under))
    if (values.length > 0) return values.map((value) => variableValue(value, form, here))
  }
  return []
}

/** `A@B`: the name A under the IAM path in member B, as in `role/team/ci`. */
function below(parameters: JsonObject, member: string): (value: Json) => Json {
  const path = member === '' ? undefined : parameters[member]
  if (typeof path !== 'string') return (value) => value
  return (value) => (typeof value === 'string' ? `${path.replace(/^\//, '')}${value}` : value)
}

function flat(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value]
}

function variableValue(value: Json, form: string, here: Surroundings): Filled | undefined {
  if (typeof value === 'number') return { text: String(value), isArn: false }
  if (typeof value !== 'string' || value === '') return undefined
  if (value.startsWith('arn:') && !takesArns(form)) return { text: value, isArn: true }
  const text = normalise(form, value, here)
  return text === undefined ? undefined : { text, isArn: false }
}

/** Formats with the surroundings in them, each kept for the last surroundings it was asked for. */
const keptBases = new Map<string, Surroundings & { readonly text: string }>()

function based(format: string, here: Surroundings): string {
  const kept = keptBases.get(format)
  const { partition, region, account } = here
  if (kept?.account === account && kept.region === region && kept.partition === partition) {
    return kept.text
  }
  let text = format
  for (const [name, value] of [
    ['Partition', partition],
    ['Region', region],
    ['Account', account],
  ] as const) {
    text = put(text, `\${${name}}`, value)
  }
  keptBases.set(format, { partition, region, account, text })
  return text
}
