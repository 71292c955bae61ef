// Replaces secret value positions by an HMAC under the session's own key: a re-run has the same
// digest, and the ledger is no dictionary (red team M5). What is masked is a closed list of positions
// (packages/aws), never code, policies or documents (red team C9).
import { createHmac } from 'node:crypto'
import type { Json, JsonObject } from '@seconder/aws/call'
import { canonicalJson } from '../lib/canonical-json.ts'

/** Returns `parameters` with the value at each JSON pointer replaced by `{masked, bytes}`. */
export function mask(
  parameters: JsonObject,
  pointers: readonly string[],
  maskKey: string,
): JsonObject {
  let masked: Json = parameters
  for (const pointer of pointers) {
    const path = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    masked = replaceAt(masked, path, (value) => maskedValue(value, maskKey))
  }
  return masked as JsonObject
}

function maskedValue(value: Json, maskKey: string): JsonObject {
  const text = typeof value === 'string' ? value : canonicalJson(value)
  const mac = createHmac('sha256', Buffer.from(maskKey, 'hex')).update(text).digest('hex')
  return { masked: `hmac-sha256:${mac}`, bytes: Buffer.byteLength(text) }
}

function replaceAt(value: Json, path: readonly string[], change: (value: Json) => Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      String(index) === key ? replaceAt(item, rest, change) : item,
    )
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value as JsonObject)
    return Object.fromEntries(
      entries.map(([name, item]) => [name, name === key ? replaceAt(item, rest, change) : item]),
    )
  }
  return value
}
