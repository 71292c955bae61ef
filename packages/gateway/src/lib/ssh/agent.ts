// Makes signatures through a running ssh-agent: a client of two of its messages. It never adds,
// removes or locks keys. Source: draft-ietf-sshm-ssh-agent (OpenSSH PROTOCOL.agent).

import { createConnection } from 'node:net'
import { SshError } from './errors.ts'
import { uint32, WireReader, wireString } from './wire.ts'

/** OpenSSH's own limit: MAX_AGENT_REPLY_LEN in authfd.c. */
export const AGENT_REPLY_BYTES_MAX = 256 * 1024
/** OpenSSH's own limit: MAX_AGENT_IDENTITIES in authfd.c. */
export const AGENT_KEYS_MAX = 2048
const LIST_TIMEOUT_MS = 5_000
/** A person may have to confirm, or to touch a security key. */
const SIGN_TIMEOUT_MS = 120_000

const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
const SIGN_REQUEST = 13
const SIGN_RESPONSE = 14
/** SSH_AGENT_RSA_SHA2_512; without a flag an RSA key signs over SHA-1. Other keys ignore it. */
const RSA_SHA2_512 = 4

/** The public keys an agent holds, in wire form. Throws SshError `agent_failed`. */
export async function agentKeys(socketPath: string): Promise<Uint8Array[]> {
  const request = Buffer.of(REQUEST_IDENTITIES)
  const reply = await ask(socketPath, request, IDENTITIES_ANSWER, LIST_TIMEOUT_MS)
  const reader = new WireReader(reply, 'agent_failed')
  const count = reader.uint32()
  if (count > AGENT_KEYS_MAX) throw failed(`agent holds more than ${AGENT_KEYS_MAX} keys`)
  const keys: Uint8Array[] = []
  for (let index = 0; index < count; index += 1) {
    keys.push(reader.string(AGENT_REPLY_BYTES_MAX))
    reader.string(AGENT_REPLY_BYTES_MAX)
  }
  reader.end()
  return keys
}

/**
 * The signature in wire form that the agent makes over `data` with the key `keyBlob`.
 *
 * Throws SshError `agent_failed` where it refuses, does not hold the key, or takes over 120 s.
 */
export async function agentSign(
  socketPath: string,
  keyBlob: Uint8Array,
  data: Uint8Array,
): Promise<Uint8Array> {
  const request = Buffer.concat([
    Buffer.of(SIGN_REQUEST),
    wireString(keyBlob),
    wireString(data),
    uint32(RSA_SHA2_512),
  ])
  const reply = await ask(socketPath, request, SIGN_RESPONSE, SIGN_TIMEOUT_MS)
  const reader = new WireReader(reply, 'agent_failed')
  const signature = reader.string()
  reader.end()
  return signature
}

/** Sends one message and gives what follows the type byte of the one reply. */
function ask(
  socketPath: string,
  request: Uint8Array,
  replyType: number,
  timeoutMs: number,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createConnection(socketPath)
  const timer = setTimeout(() => reject(failed('agent took too long')), timeoutMs)
  let received = Buffer.alloc(0)
  socket.on('error', (cause) => reject(failed('agent cannot be reached', cause)))
  socket.on('close', () => reject(failed('agent closed the connection')))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    if (received.length < 4) return
    const length = received.readUInt32BE(0)
    if (length === 0 || length > AGENT_REPLY_BYTES_MAX) {
      reject(failed('agent sent a reply of odd length'))
    } else if (received.length > 4 + length) {
      reject(failed('agent sent more than a reply'))
    } else if (received.length === 4 + length) {
      if (received.readUInt8(4) === replyType) resolve(received.subarray(5))
      else reject(failed('agent refused'))
    }
  })
  socket.write(wireString(request))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

function failed(message: string, cause?: unknown): SshError {
  return new SshError('agent_failed', message, cause === undefined ? undefined : { cause })
}
