// Makes the errors of reading keys, of verifying and of making signatures. No message repeats a
// signature, a signed text or a private key.

/**
 * - `malformed_key`: a public or private key that cannot be read; the sender's fault
 * - `unsupported_key`: a key type that this gate does not take (DSA, certificates, short RSA)
 * - `malformed_signature`: not one canonical SSHSIG; the sender's fault
 * - `wrong_namespace`: signed for another purpose
 * - `wrong_key`: signed by another key than the one asked for
 * - `bad_signature`: the signature does not verify over this message
 * - `unsupported_hash`: a message hash or signature algorithm outside SHA-256 and SHA-512
 * - `presence_missing`, `verification_missing`: nobody touched the key, or gave it a PIN or finger
 * - `message_too_large`: past SSH_MESSAGE_BYTES_MAX
 * - `key_unreadable`: the key file cannot be read or written
 * - `key_encrypted`: the key has a passphrase, and neither an agent nor ssh-keygen is there
 * - `agent_failed`, `keygen_failed`: the other program refused, failed or too slow; may be retried
 */
export type SshErrorCode =
  | 'malformed_key'
  | 'unsupported_key'
  | 'malformed_signature'
  | 'wrong_namespace'
  | 'wrong_key'
  | 'bad_signature'
  | 'unsupported_hash'
  | 'presence_missing'
  | 'verification_missing'
  | 'message_too_large'
  | 'key_unreadable'
  | 'key_encrypted'
  | 'agent_failed'
  | 'keygen_failed'

const HELP: Readonly<Record<SshErrorCode, string>> = {
  malformed_key: 'give the one line of a .pub file, or the file that ssh-keygen wrote',
  unsupported_key: 'use an ed25519, sk-ed25519, ecdsa, sk-ecdsa or RSA key of at least 2048 bits',
  malformed_signature: 'send the output of ssh-keygen -Y sign unchanged',
  wrong_namespace: 'sign with the namespace that the act asks for',
  wrong_key: 'sign with the key that is registered for you',
  bad_signature: 'sign the statement exactly as it was shown',
  unsupported_hash: 'sign with SHA-512, which is the default of ssh-keygen',
  presence_missing: 'use a security key and touch it when it blinks',
  verification_missing: 'use a security key made with ssh-keygen -O verify-required',
  message_too_large: 'sign a shorter statement',
  key_unreadable: 'check the path and that only you may read the file',
  key_encrypted: 'add the key to ssh-agent with ssh-add, or install ssh-keygen',
  agent_failed: 'check ssh-add -l, and confirm the request if the agent asks',
  keygen_failed: 'run ssh-keygen -Y sign with this key by hand to see what is wrong',
}

export class SshError extends Error {
  override readonly name = 'SshError'
  readonly code: SshErrorCode
  readonly help: string

  constructor(code: SshErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.help = HELP[code]
  }
}
