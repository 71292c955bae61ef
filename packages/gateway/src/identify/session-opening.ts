// Opens sessions: the operator is proved by a signature over the very session asked for, never
// named in a flag or a variable (red team C1). The agent's keys are worth nothing outside this gate,
// and leave it sealed to the one-time key inside the signed statement.
import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { z } from 'zod'
import type { RoleRow } from '../config.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import { type ActVerifier, type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { SessionRow, Store } from '../state/store.ts'

export const SESSION_NAMESPACE = 'seconder-session@v1'

/** Longest life of a session, in milliseconds. */
export const SESSION_LIFETIME_MS_MAX = 12 * 60 * 60 * 1000
/** How old a signed opening may be, in milliseconds. */
const OPENING_AGE_MS_MAX = 5 * 60 * 1000

export const TASK_CHARS_MAX = 2_000
export const INSTIGATORS_MAX = 20

export const SESSION_STATEMENT = z.strictObject({
  type: z.literal('seconder-session@v1'),
  gate: z.string().regex(/^[0-9a-f]{64}$/),
  operator: z.string().max(64),
  agent: z.string().regex(/^[\x20-\x7e]{1,100}$/),
  role: z.string().max(64),
  /** What the agent is to do, in the operator's words. */
  task: z.string().min(1).max(TASK_CHARS_MAX).optional(),
  /** Who sent that task: members, none of whom reviews what comes of it. */
  instigators: z.array(z.string().max(64)).min(1).max(INSTIGATORS_MAX).optional(),
  /** X25519 public key (raw, base64) that the session's keys are sealed to. */
  sessionPublicKey: z.base64().max(64),
  signedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  nonce: z.string().min(22).max(64),
})

/** Keys sealed with X25519, HKDF-SHA-256 and AES-256-GCM; all members base64. */
export interface SealedKeys {
  readonly ephemeralPublicKey: string
  readonly iv: string
  readonly ciphertext: string
}

export interface OpenedSession {
  readonly sessionId: string
  readonly expiresAt: string
  readonly sealed: SealedKeys
}

export interface OpeningOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  readonly roles: () => Promise<Readonly<Record<string, RoleRow>>>
}

/**
 * Opens a session for the person who signed. Returns its id and sealed keys.
 * Errors: `statement_invalid`, `signature_invalid`.
 */
export async function openSession(
  options: OpeningOptions,
  given: GivenAct,
): Promise<OpenedSession> {
  const { store, recorder, clock, gateId, acts } = options
  const verified = await acts.verify(given, SESSION_NAMESPACE, SESSION_STATEMENT)
  const { statement, person, act } = verified
  const nowMs = clock.nowMs()
  const expiresAtMs = Date.parse(statement.expiresAt)
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.operator !== person.name)
    throw invalidStatement('the key is not that of the operator named')
  requireLifetime(statement, nowMs)
  const { task = null, instigators = [] } = statement
  await requireMembers(store, instigators)
  const role = (await options.roles())[statement.role]
  if (!role) throw invalidStatement(`there is no role \`${statement.role}\``)
  if (!(await store.useNonce(statement.nonce, nowMs)))
    throw invalidStatement('its nonce was used before')
  const session: SessionRow = {
    id: randomId('s'),
    parent: null,
    accessKeyId: newAccessKeyId('AKIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    maskKey: randomBytes(32).toString('hex'),
    agent: statement.agent,
    operator: person.name,
    task,
    instigators,
    roleName: statement.role,
    roleArn: role.arn,
    openedAtMs: nowMs,
    expiresAtMs,
    closedAtMs: null,
    suspendedAtMs: null,
  }
  const sealed = seal(statement.sessionPublicKey, session)
  await recorder.record({
    type: 'session-opened',
    session: session.id,
    operator: session.operator,
    agent: session.agent,
    role: session.roleArn,
    ...(task !== null && { task }),
    ...(instigators.length > 0 && { instigators }),
    act,
  })
  await store.addSession(session)
  return { sessionId: session.id, expiresAt: statement.expiresAt, sealed }
}

/** A name that is nobody's would keep nobody from reviewing. Errors: `statement_invalid`. */
async function requireMembers(store: Store, names: readonly string[]): Promise<void> {
  const members = new Set((await store.people()).map(({ name }) => name))
  const unknown = names.find((name) => !members.has(name))
  if (unknown === undefined) return
  throw invalidStatement(`\`${unknown}\`, who is said to have sent the task, is no member`)
}

/** Errors: `statement_invalid` where it was not signed just now, or asks for more than 12 hours. */
export function requireLifetime(
  { signedAt, expiresAt }: { readonly signedAt: string; readonly expiresAt: string },
  nowMs: number,
): void {
  const expiresAtMs = Date.parse(expiresAt)
  if (Math.abs(nowMs - Date.parse(signedAt)) > OPENING_AGE_MS_MAX)
    throw invalidStatement('it was signed more than five minutes away from now')
  if (expiresAtMs <= nowMs || expiresAtMs > nowMs + SESSION_LIFETIME_MS_MAX + OPENING_AGE_MS_MAX) {
    throw invalidStatement('a session lives at most 12 hours')
  }
}

/** An id of the shape that AWS clients accept (ASIA: with a session token), and that no AWS account has. */
export function newAccessKeyId(kind: 'AKIA' | 'ASIA'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return `${kind}SECONDER${[...randomBytes(8)].map((byte) => alphabet[byte & 31]).join('')}`
}

export function seal(
  publicKey: string,
  keys: { accessKeyId: string; secretAccessKey: string },
): SealedKeys {
  const theirs = rawX25519(publicKey)
  const mine = generateKeyPairSync('x25519')
  const shared = diffieHellman({ privateKey: mine.privateKey, publicKey: theirs })
  const key = Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), SESSION_NAMESPACE, 32))
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const { accessKeyId, secretAccessKey } = keys
  const text = JSON.stringify({ accessKeyId, secretAccessKey })
  const ciphertext = Buffer.concat([
    cipher.update(text, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ])
  const raw = mine.publicKey.export({ format: 'jwk' }).x as string
  return {
    ephemeralPublicKey: Buffer.from(raw, 'base64url').toString('base64'),
    iv: iv.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
  }
}

export function rawX25519(base64: string): ReturnType<typeof createPublicKey> {
  const raw = Buffer.from(base64, 'base64')
  if (raw.length !== 32) {
    throw new GatewayError(
      'statement_invalid',
      'sessionPublicKey is not 32 bytes',
      'use `seconder session open`',
    )
  }
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') },
  })
}
