// A policy document with the size that AWS counts, and the limits.

import type { JsonObject } from '@seconder/aws/call'

/**
 * Characters, white space not counted. Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
export const CHARS_MAX = { managed: 6_144, inline: 10_240, boundary: 6_144, scp: 5_120 } as const

export interface SizedPolicy {
  readonly name: string
  readonly kind: keyof typeof CHARS_MAX
  readonly document: JsonObject
  readonly chars: number
}

export function sized(name: string, kind: SizedPolicy['kind'], document: JsonObject): SizedPolicy {
  return { name, kind, document, chars: charsOf(document) }
}

export function documentOf(statements: readonly JsonObject[]): JsonObject {
  return { Version: '2012-10-17', Statement: [...statements] }
}

export function charsOf(document: JsonObject): number {
  return JSON.stringify(document).replace(/\s/g, '').length
}

export function isWithinLimit({ kind, chars }: SizedPolicy): boolean {
  return chars <= CHARS_MAX[kind]
}
