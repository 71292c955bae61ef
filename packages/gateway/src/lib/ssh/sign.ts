// Makes an armored SSH signature over a message with a person's key: through their ssh-agent, else
// with ssh-keygen, else alone for an Ed25519 key without a passphrase. It asks for no passphrase
// and gives back nothing it has not verified.

import { spawn } from 'node:child_process'
import { sign } from 'node:crypto'
import { oneLine } from '../plain-text.ts'
import { agentKeys, agentSign } from './agent.ts'
import { SshError } from './errors.ts'
import {
  openEd25519,
  type PrivateKeyFile,
  parsePrivateKeyFile,
  readKeyFile,
} from './private-key.ts'
import { parsePublicKey, parsePublicKeyBlob, type SshPublicKey } from './public-key.ts'
import {
  ARMOR_CHARS_MAX,
  armorSshsig,
  parseSshsig,
  SSH_MESSAGE_BYTES_MAX,
  signedData,
  verifySshSignature,
} from './sshsig.ts'
import { wireString } from './wire.ts'

/** A person may have to type a passphrase, or to touch a security key. */
const KEYGEN_TIMEOUT_MS = 120_000
const KEYGEN_STDERR_CHARS_MAX = 400
/** What ssh-keygen -Y sign uses where nothing else is asked. */
const HASH = 'sha512'

export interface SshSigning {
  readonly message: Uint8Array | string
  readonly namespace: string
  /** A private key file, or the `.pub` file of a key that the agent holds. */
  readonly keyPath: string
  /** Where the agent listens: the value of SSH_AUTH_SOCK. */
  readonly agentSocket: string | undefined
  /** The ssh-keygen program; null to do without. By default it is looked for on the PATH. */
  readonly keygen?: string | null
}

/**
 * The signature over `message` as `ssh-keygen -Y sign` prints it. The person may be asked for a
 * passphrase by ssh-keygen, for a touch, or to confirm by their agent.
 *
 * Throws SshError `key_unreadable`, `key_encrypted`, `malformed_key`, `unsupported_key`,
 * `agent_failed`, `keygen_failed` or `message_too_large`.
 */
export async function signSshMessage(request: SshSigning): Promise<string> {
  const { namespace, keyPath, agentSocket, keygen = 'ssh-keygen' } = request
  if (namespace === '') throw new TypeError('a signature needs a namespace')
  const message = Buffer.from(request.message)
  if (message.length > SSH_MESSAGE_BYTES_MAX) {
    throw new SshError('message_too_large', `more than ${SSH_MESSAGE_BYTES_MAX} bytes to sign`)
  }
  const { publicKey, privateFile } = await readKeys(keyPath)
  const work = { message, namespace }
  let armored: string | null = null
  if (publicKey !== null && agentSocket !== undefined && agentSocket !== '') {
    armored = await signByAgent(work, publicKey, agentSocket)
  }
  if (armored === null && keygen !== null) armored = await signByKeygen(work, keyPath, keygen)
  armored ??= signAlone(work, privateFile)
  const signer = publicKey ?? parsePublicKeyBlob(parseSshsig(armored).keyBlob)
  verifySshSignature({ armored, message, namespace, publicKey: signer })
  return armored
}

interface Work {
  readonly message: Uint8Array
  readonly namespace: string
}

interface Keys {
  /** Null for a private key in an old format without a `.pub` file beside it. */
  readonly publicKey: SshPublicKey | null
  readonly privateFile: PrivateKeyFile | null
}

async function readKeys(keyPath: string): Promise<Keys> {
  if (keyPath.endsWith('.pub')) {
    const line = await readKeyFile(keyPath, false)
    if (line === null) throw new SshError('key_unreadable', `no key file \`${keyPath}\``)
    return { publicKey: parsePublicKey(line), privateFile: null }
  }
  const text = await readKeyFile(keyPath, true)
  const privateFile = text === null ? null : parsePrivateKeyFile(text)
  // The private file says which key it is; the one beside it may be stale.
  if (privateFile !== null) return { publicKey: privateFile.publicKey, privateFile }
  const line = await readKeyFile(`${keyPath}.pub`, false)
  if (text === null && line === null) {
    throw new SshError('key_unreadable', `no key file \`${keyPath}\``)
  }
  return { publicKey: line === null ? null : parsePublicKey(line), privateFile: null }
}

/** Null where the agent is gone or does not hold the key; a refusal by it is an error. */
async function signByAgent(
  work: Work,
  publicKey: SshPublicKey,
  agentSocket: string,
): Promise<string | null> {
  let held: readonly Uint8Array[]
  try {
    held = await agentKeys(agentSocket)
  } catch (error) {
    // SSH_AUTH_SOCK often outlives its agent; the key file may still do.
    if (error instanceof SshError && error.code === 'agent_failed') return null
    throw error
  }
  const blob = Buffer.from(publicKey.blob)
  if (!held.some((key) => blob.equals(key))) return null
  const data = signedData(work.message, work.namespace, HASH)
  const signature = await agentSign(agentSocket, blob, data)
  return armorSshsig({ keyBlob: blob, namespace: work.namespace, hash: HASH, signature })
}

/** Null where there is no such program. */
async function signByKeygen(work: Work, keyPath: string, keygen: string): Promise<string | null> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  // Prompts for a touch go to standard error, so a person at a terminal must see it.
  const stderr = process.stderr.isTTY ? 'inherit' : 'pipe'
  const child = spawn(keygen, ['-Y', 'sign', '-f', keyPath, '-n', work.namespace], {
    stdio: ['pipe', 'pipe', stderr],
  })
  // Not the option of spawn: for a program that is not there it keeps the process until its time is over.
  const timer = setTimeout(() => child.kill(), KEYGEN_TIMEOUT_MS)
  let armored = ''
  let complaint = ''
  child.stdout?.on('data', (chunk) => {
    armored = (armored + chunk).slice(0, ARMOR_CHARS_MAX + 1)
  })
  child.stderr?.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(0, KEYGEN_STDERR_CHARS_MAX)
  })
  child.on('error', (cause) => {
    clearTimeout(timer)
    if ('code' in cause && cause.code === 'ENOENT') resolve(null)
    else reject(new SshError('keygen_failed', 'ssh-keygen cannot be started', { cause }))
  })
  child.on('close', (code) => {
    clearTimeout(timer)
    if (code === 0) resolve(armored)
    else reject(new SshError('keygen_failed', `ssh-keygen did not sign: ${oneLine(complaint)}`))
  })
  // It may stop reading before the end; then its exit code tells why.
  child.stdin?.on('error', () => child.stdin?.destroy())
  child.stdin?.end(work.message)
  return promise
}

function signAlone(work: Work, privateFile: PrivateKeyFile | null): string {
  if (privateFile === null) {
    throw new SshError(
      'unsupported_key',
      'signing with this key file needs ssh-agent or ssh-keygen, and neither will do it',
    )
  }
  const key = openEd25519(privateFile)
  const raw = sign(null, signedData(work.message, work.namespace, HASH), key)
  const signature = Buffer.concat([wireString('ssh-ed25519'), wireString(raw)])
  const keyBlob = privateFile.publicKey.blob
  return armorSshsig({ keyBlob, namespace: work.namespace, hash: HASH, signature })
}
