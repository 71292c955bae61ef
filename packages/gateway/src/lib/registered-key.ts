// Makes what the gate needs of a person's public key from its one line: an SSH key (a line of a .pub file) or
// a passkey. What a line is, is decided by its first word alone.
import { isPasskeyLine, parsePasskey } from './passkey.ts'
import { parsePublicKey } from './ssh/public-key.ts'

/** Longest line of a public key, in characters; RSA with 16,384 bits takes about 2,800. */
export const KEY_LINE_CHARS_MAX = 4_096

export interface RegisteredKey {
  readonly kind: 'ssh' | 'passkey'
  readonly fingerprint: string
  readonly credentialId: string | null
  readonly line: string
  /** Whether its signatures can show a person present and verified. */
  readonly showsPresence: boolean
}

/** Errors: GatewayError `statement_invalid` for a passkey, SshError for an SSH key. */
export function parseRegisteredKey(text: string): RegisteredKey {
  const line = text.trim()
  if (isPasskeyLine(line)) {
    const { fingerprint, credentialId } = parsePasskey(line)
    return { kind: 'passkey', fingerprint, credentialId, line, showsPresence: true }
  }
  const { fingerprint, application } = parsePublicKey(line)
  const showsPresence = application !== null
  return { kind: 'ssh', fingerprint, credentialId: null, line, showsPresence }
}
