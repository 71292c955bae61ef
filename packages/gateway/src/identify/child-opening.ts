// Opens a child session: keys of this gate for an AssumeRole of an agent, bound to the session that asked
// and to the role it asked for (red team C4). It dies with its parent, opens none itself, and has a name of
// its own in the ledger. The answer is that of STS; nothing of it comes from there.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Readable } from 'node:stream'
import { assumeRoleReply } from '@seconder/aws/reply/assume-role-reply'
import type { VerifiedSignature } from '@seconder/aws/sigv4/verify'
import { headerValues, type WireHead, type WireHeader } from '@seconder/aws/wire-request'
import type { ChildAsked } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import type { Recorder } from '../record/recorder.ts'
import type { SessionRow, Store } from '../state/store.ts'
import { sessionClosed } from './open-session.ts'
import { newAccessKeyId, SESSION_LIFETIME_MS_MAX } from './session-opening.ts'

/** Child sessions of one session that are open at once. */
export const CHILDREN_MAX = 20

export interface ChildOpening {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
}

/** Errors: `limit_reached`, before anything is recorded or consumed. */
export async function requireRoom(store: Store, parent: SessionRow, nowMs: number): Promise<void> {
  if ((await store.openChildren(parent.id, nowMs)) < CHILDREN_MAX) return
  throw new GatewayError(
    'limit_reached',
    `this session has ${CHILDREN_MAX} child sessions open; nothing was done`,
    'use the keys of one of them, or close one: seconder session ls',
  )
}

/**
 * Opens the child and answers as STS does. Errors: `session_closed` where the parent, or the keys that asked, ended meanwhile,
 * `limit_reached`.
 */
export async function answerAssumeRole(
  { store, recorder, clock }: ChildOpening,
  parent: SessionRow,
  asked: ChildAsked,
  request: WireHead,
): Promise<{ status: number; headers: readonly WireHeader[]; body: Readable }> {
  const nowMs = clock.nowMs()
  // It may have waited for people while its session was given new keys: what the old ones asked for opens nothing.
  if ((await store.session(parent.id))?.accessKeyId !== parent.accessKeyId) throw sessionClosed()
  await requireRoom(store, parent, nowMs)
  const lifeMs = Math.min(asked.seconds * 1_000, SESSION_LIFETIME_MS_MAX)
  // Whole seconds, as STS says them, and never later than the parent.
  const expiresAtMs = Math.floor(Math.min(parent.expiresAtMs, nowMs + lifeMs) / 1_000) * 1_000
  const child: SessionRow = {
    id: randomId('s'),
    parent: parent.id,
    accessKeyId: newAccessKeyId('ASIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    maskKey: randomBytes(32).toString('hex'),
    agent: parent.agent,
    operator: parent.operator,
    task: parent.task,
    instigators: parent.instigators,
    roleName: asked.roleName,
    roleArn: asked.roleArn,
    openedAtMs: nowMs,
    expiresAtMs,
    closedAtMs: null,
    suspendedAtMs: null,
  }
  await recorder.record({
    type: 'child-session-opened',
    session: child.id,
    parent: parent.id,
    operator: child.operator,
    agent: child.agent,
    role: child.roleArn,
    label: asked.label,
    expiresAt: new Date(expiresAtMs).toISOString(),
  })
  // A crash before this line leaves an entry about a session whose keys nobody has.
  if (!(await store.addChild(child, parent.accessKeyId, CHILDREN_MAX, nowMs))) {
    throw new GatewayError(
      'session_closed',
      'this session has ended or has too many child sessions; nothing was done',
      'let the operator open a new one: `seconder session open`',
    )
  }
  const { status, headers, body } = assumeRoleReply({
    asJson: headerValues(request, 'accept').some((text) => /^application\/json\b/i.test(text)),
    roleArn: child.roleArn,
    sessionName: asked.label,
    accessKeyId: child.accessKeyId,
    secretAccessKey: child.secretAccessKey,
    sessionToken: sessionTokenOf(child),
    expiresAtMs,
    requestId: randomId('x'),
  })
  return { status, headers, body: Readable.from([body]) }
}

/** Made from the child's secret, so that nothing more has to be kept. */
function sessionTokenOf({ id, secretAccessKey }: SessionRow): string {
  const mac = createHmac('sha256', secretAccessKey)
    .update(`session token of ${id}`)
    .digest('base64')
  return `SECONDERCHILD${mac}`
}

/**
 * A child's calls carry its token, as those of any session of STS do.
 * Errors: `session_unknown` where it is missing or another one.
 */
export function requireSessionToken(
  { securityToken }: Pick<VerifiedSignature, 'securityToken'>,
  session: SessionRow,
): void {
  if (session.parent === null) return
  const given = Buffer.from(securityToken ?? '')
  const wanted = Buffer.from(sessionTokenOf(session))
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return
  throw new GatewayError(
    'session_unknown',
    'the session token is not that of this child session',
    'use the three values that AssumeRole answered, together',
  )
}
