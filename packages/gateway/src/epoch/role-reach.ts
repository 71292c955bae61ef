// Reads the file that says which environments each role reaches (`seconder roles audit` writes it). It is
// part of what an epoch decides by; a mistake in it is named with its line and stops the start.
import { readFileSync } from 'node:fs'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { z } from 'zod'
import type { RoleReach } from '../describe/environments.ts'
import { GatewayError } from '../errors.ts'

/** Bytes of the file; some 20,000 roles. */
export const ROLE_REACH_BYTES_MAX = 4 * 1024 * 1024

const REACH = z.strictObject({
  version: z.literal(1),
  roles: z.record(
    z.string().regex(/^arn:[a-z-]+:iam::\d{12}:role\/[^\s*?]+$/, 'write the ARN of a role'),
    z.strictObject({
      environments: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'write the name of an environment'))
        .max(1_000),
    }),
  ),
})

/** The reach by role ARN. Errors: `invalid_config`, naming the file and the line. */
export function readRoleReach(path: string): RoleReach {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw wrong(`cannot read \`${path}\``, { cause })
  }
  const parsed = REACH.safeParse(jsonOf(path, text))
  if (parsed.success) return parsed.data.roles
  const [issue] = parsed.error.issues
  const where = (issue?.path ?? []).map(String)
  throw wrong(
    `\`${path}\` line ${lineOf(text, where)}: \`${where.join('.') || 'the file'}\`: ${issue?.message ?? 'is wrong'}`,
  )
}

function jsonOf(path: string, text: string): unknown {
  try {
    return parseStrictJson(text, { maxBytes: ROLE_REACH_BYTES_MAX })
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    const line = text.slice(0, cause.position).split('\n').length
    throw wrong(`\`${path}\` line ${line}: ${cause.code}`, { cause })
  }
}

/** The line of the last named key on the way to the mistake. */
function lineOf(text: string, path: readonly string[]): number {
  let at = 0
  for (const key of path) {
    const found = text.indexOf(JSON.stringify(key), at)
    if (found !== -1) at = found
  }
  return text.slice(0, at).split('\n').length
}

function wrong(message: string, options?: { cause: unknown }): GatewayError {
  const help =
    'see `roleReach:` in README.md; it is {"version":1,"roles":{"ROLE ARN":{"environments":["production"]}}}'
  return new GatewayError('invalid_config', message, help, options)
}
