// Opens an agent's session, or gives one new keys: makes the signed statement, and unseals the keys that come back. Only
// whoever made the one-time key in the statement can read them.
import {
  createDecipheriv,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import {
  type OpenedSession,
  rawX25519,
  SESSION_NAMESPACE,
} from '@seconder/gateway/identify/session-opening'
import { RESUMING_NAMESPACE } from '@seconder/gateway/identify/session-resuming'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

export interface Opening {
  readonly role: string
  /** A label for the agent. */
  readonly agent: string
  readonly lifetimeMs: number
  /** What it is to do, and who sent that; neither has to be said. */
  readonly task?: string | undefined
  readonly instigators?: readonly string[] | undefined
}

export interface AgentSession {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionId: string
  /** For AWS_ENDPOINT_URL. */
  readonly endpoint: string
  readonly expiresAt: string
}

export async function openAgentSession(
  client: GateClient,
  signer: Signer,
  opening: Opening,
): Promise<AgentSession> {
  const { role, agent, lifetimeMs, task, instigators = [] } = opening
  return newKeys(client, signer, lifetimeMs, {
    path: '/api/sessions',
    type: SESSION_NAMESPACE,
    of: {
      ...{ role, agent },
      ...(task !== undefined && { task }),
      ...(instigators.length > 0 && { instigators: [...instigators] }),
    },
  })
}

/** New keys for a session, in place of its old ones; only its operator may. */
export function resumeAgentSession(
  client: GateClient,
  signer: Signer,
  { session, lifetimeMs }: { readonly session: string; readonly lifetimeMs: number },
): Promise<AgentSession> {
  return newKeys(client, signer, lifetimeMs, {
    path: '/api/sessions/resume',
    type: RESUMING_NAMESPACE,
    of: { session },
  })
}

async function newKeys(
  client: GateClient,
  signer: Signer,
  lifetimeMs: number,
  { path, type, of }: { path: string; type: string; of: JsonObject },
): Promise<AgentSession> {
  const facts = await client.facts()
  const now = Date.now()
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')
  const statement = {
    ...of,
    type,
    gate: facts.gate,
    operator: signer.person,
    sessionPublicKey: raw.toString('base64'),
    signedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + lifetimeMs).toISOString(),
    nonce: nonce(),
  }
  const opened = await client.post<OpenedSession>(path, await signer.sign(statement, type))
  const { sessionId, expiresAt } = opened
  return { ...unseal(opened, privateKey), sessionId, endpoint: facts.endpoint, expiresAt }
}

function unseal(
  { sealed }: OpenedSession,
  privateKey: KeyObject,
): { accessKeyId: string; secretAccessKey: string } {
  const shared = diffieHellman({ privateKey, publicKey: rawX25519(sealed.ephemeralPublicKey) })
  const key = Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), SESSION_NAMESPACE, 32))
  const bytes = Buffer.from(sealed.ciphertext, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'))
  decipher.setAuthTag(bytes.subarray(-16))
  const text = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString(
    'utf8',
  )
  return JSON.parse(text) as { accessKeyId: string; secretAccessKey: string }
}
