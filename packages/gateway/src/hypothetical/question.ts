// What somebody asks of the policies beforehand: a call by its name, on what, as whom. Read from an address,
// which holds all of it, so that a question can be sent on. Parsed here once.
import type { JsonObject } from '@seconder/aws/call'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { z } from 'zod'
import type { DecideContext } from '../decide/decision.ts'
import { GatewayError } from '../errors.ts'

/** Things of one question, and UTF-16 units of its parameters. */
export const RESOURCES_MAX = 20
export const PARAMETERS_CHARS_MAX = 8_000

export interface Question {
  /** `dynamodb:DeleteTable`. */
  readonly operation: string
  /** ARNs or patterns; empty: what the parameters name, or everything. */
  readonly resources: readonly string[]
  /** As people name it; null: as the configuration places the things. */
  readonly environment: string | null
  /** A role of the configuration, by name; empty: the first one. */
  readonly role: string
  readonly isolation: DecideContext['isolation']
  readonly region: string
  readonly parameters: JsonObject
}

const OPERATION = /^[a-z0-9-]{1,63}:[A-Za-z][A-Za-z0-9_]{0,127}$/
/** An ARN with no control characters and at most as long as AWS makes them. */
const ARN = /^arn:[^\s\p{C}]{1,2043}$/u

const asked = z.strictObject({
  operation: z.string('no call is named').regex(OPERATION, 'not a call as service:Operation'),
  resource: z
    .array(z.string().regex(ARN, 'not an ARN'))
    .max(RESOURCES_MAX, `more than ${RESOURCES_MAX} things`)
    .default([]),
  environment: z.string().max(64).optional(),
  role: z.string().max(128).default(''),
  isolation: z.enum(['host', 'user', 'sandbox', 'none']).default('user'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'not a region')
    .default('us-east-1'),
  parameters: z.string().max(PARAMETERS_CHARS_MAX, 'too long').default('{}'),
})

/** Errors: `question_invalid`, naming the part. */
export function questionOf(query: URLSearchParams): Question {
  const raw: Record<string, string | string[]> = {}
  for (const name of query.keys()) {
    const values = query.getAll(name).filter((value) => value !== '')
    if (name === 'resource') raw[name] = values
    else if (values.length > 1) throw invalid(`\`${name}\` is said twice`)
    else if (values[0] !== undefined) raw[name] = values[0]
  }
  const parsed = asked.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(
      `\`${String(issue?.path[0] ?? 'question')}\`: ${issue?.message ?? 'cannot be read'}`,
    )
  }
  const { resource, environment, parameters, ...rest } = parsed.data
  return {
    ...rest,
    resources: resource,
    environment: environment ?? null,
    parameters: parametersOf(parameters),
  }
}

function parametersOf(text: string): JsonObject {
  try {
    const value = parseStrictJson(text)
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
    if (isObject) return value as JsonObject
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    throw invalid(`\`parameters\`: not JSON: ${cause.code}`)
  }
  throw invalid('`parameters`: not a JSON object')
}

export function invalid(message: string): GatewayError {
  return new GatewayError(
    'question_invalid',
    message,
    'say a call as service:Operation, and what it is about as an ARN: nothing was done',
  )
}
