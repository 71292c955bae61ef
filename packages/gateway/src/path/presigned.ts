// What a presigned URL may do: read, where nobody needs to look. It can be copied on, and in S3 it
// leaves its body unsigned, so a person's approval of one would be an approval of whoever holds it.
import type { VerifiedSignature } from '@seconder/aws/sigv4/verify'
import type { Action } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import { requireBoundBody } from './facts.ts'

/** True where a person could never say yes: what such a request needs is refused, not asked. */
export function isPresigned({ form }: VerifiedSignature): boolean {
  return form === 'presigned'
}

/** Errors: `not_supported` for a presigned request that policy would only let pass after a review. */
export function requireDirect(action: Action, verified: VerifiedSignature): void {
  if (!isPresigned(verified)) return
  throw new GatewayError(
    'not_supported',
    `${action.operation} needs review, and a presigned URL is never reviewed: whoever holds it could use the approval; nothing was done`,
    'make the call itself with the keys of the session, not through a presigned URL',
  )
}

/**
 * For a call that hands out keys, read or not: a URL can be copied on, and each copy of it would be
 * another agent (red team H17).
 * Errors: `not_supported` for a presigned one; `unsupported_payload` as of requireBoundBody.
 */
export function requireOwnCall(action: Action, verified: VerifiedSignature): void {
  if (isPresigned(verified)) {
    throw new GatewayError(
      'not_supported',
      `${action.operation} through a presigned URL would give keys to whoever holds it; nothing was done`,
      'make the call itself with the keys of the session',
    )
  }
  requireBoundBody(action, verified)
}
