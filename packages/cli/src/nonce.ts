// A number used once: what makes two statements of the same words two statements.
import { randomBytes } from 'node:crypto'

export function nonce(): string {
  return randomBytes(18).toString('base64url')
}
