// Lends the credentials of one call: those of the session's role, narrowed to the call by a session
// policy, kept by policy digest, gone with the session (red team H9, L3). Without assumeRole the gate's
// own go out, for an open session only. A sender is all that ever leaves here, never a credential.

import { describeCall } from '@seconder/aws/describe-call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import type { Action } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import type { Evidence } from '../resolve/evidence.ts'
import {
  assumeRole,
  SESSION_SECONDS_CHAINED_MAX,
  SESSION_SECONDS_MIN,
  StsRefusal,
} from './assume-role.ts'
import { actsAsCaller, readsAsCaller } from './callers-rights.ts'
import {
  type CredentialSource,
  type Lent,
  unavailable,
  usable,
} from './credential-sources/credential-source.ts'
import type { Exchange } from './exchange.ts'
import {
  readPolicy,
  SESSION_POLICY_CHARS_MAX,
  type SessionPolicy,
  sessionPolicy,
} from './session-policy.ts'
import { type SendUpstream, senderAs, UpstreamSilence } from './upstream.ts'

/** Sessions whose credentials are kept; the oldest goes first. */
export const KEPT_SESSIONS_MAX = 1_000
/** Policies of one session whose credentials are kept; the oldest goes first. */
export const KEPT_POLICIES_MAX = 64
/** Policies that STS called too large in packed form, remembered so that the next try is shorter. */
export const TOO_LARGE_MAX = 1_000

/**
 * Characters to try, one after the other, as STS finds a policy too large with its tags.
 * Source: STS API, AssumeRole: "an AWS conversion compresses the passed inline session policy".
 */
const CHARS_MAX = [SESSION_POLICY_CHARS_MAX, 1_024, 512]

export const DEFAULT_REGIONS: Readonly<Record<string, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
}

const DENY_ALL =
  '{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"}'

/** The session that a call belongs to, as far as its credentials need it. */
export interface LendingSession {
  readonly id: string
  readonly accessKeyId: string
  readonly operator: string
  readonly agent: string
  readonly roleArn: string
}

export interface AccessOptions {
  /** For the calls themselves. */
  readonly exchange: Exchange
  /** For STS alone, which answers at once or not at all. */
  readonly stsExchange: Exchange
  readonly clock: Clock
  /** The gate's own identity. */
  readonly source: CredentialSource
  /** False only for emulators, or where the operator says so; then nothing is narrowed. */
  readonly assumeRole: boolean
  /** Region of STS where it is of the role's partition; undefined = the partition's first. */
  readonly region?: string | undefined
  /** Accounts of the environments in force. */
  readonly accounts: () => readonly string[]
  readonly isOpen: (session: LendingSession) => Promise<boolean>
}

/** What one session was lent, by policy and request. */
interface Kept {
  readonly session: LendingSession
  readonly lent: Map<string, Promise<Lent>>
}

export class UpstreamAccess {
  readonly #options: AccessOptions
  readonly #kept = new Map<string, Kept>()
  readonly #tooLarge = new Set<string>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /**
   * The evidence of a call with what its credentials will be: the policy's digest binds, and what is
   * wider than the call is said to the reviewer. Errors: `not_narrowed`, before anybody is asked.
   */
  narrowed(action: Action, evidence: Evidence): Evidence {
    if (!this.#options.assumeRole) return evidence
    const { digest, wider } = this.#policyOf(action, evidence)
    return {
      ...evidence,
      binding: { ...evidence.binding, sessionPolicy: digest },
      ...(wider.length > 0 && { wider }),
    }
  }

  /**
   * The way upstream for this one call. `requestId` is that of its review, where it had one.
   * Errors: `session_closed`, `not_narrowed`, `role_not_assumable`, `credentials_unavailable`; nothing
   * of the call has been sent then.
   */
  async forCall(
    session: LendingSession,
    action: Action,
    evidence: Evidence,
    requestId: string | null,
  ): Promise<SendUpstream> {
    if (!this.#options.assumeRole) return this.#own(session)
    if (isRead(action)) {
      const policy = readPolicy(action, { accounts: this.#options.accounts() })
      // A query goes on under what it was lent after its id has been answered.
      const goesOn = readsAsCaller(action.operation) !== null
      const seconds = goesOn ? SESSION_SECONDS_CHAINED_MAX : SESSION_SECONDS_MIN
      return this.#sender(session, await this.#lent(session, policy, 'read', seconds))
    }
    const policy = this.#policyOf(action, evidence)
    // CloudFormation goes on under what it was lent after the call has been answered.
    const goesOn = actsAsCaller(action, evidence).length > 0
    const seconds = goesOn ? SESSION_SECONDS_CHAINED_MAX : SESSION_SECONDS_MIN
    const request = requestId ?? 'none'
    return this.#sender(session, await this.#lent(session, policy, request, seconds))
  }

  /** Errors: `credentials_unavailable` where the gate's own identity is not known now. */
  async requireOwn(): Promise<void> {
    await this.#options.source.current()
  }

  /** The way upstream for look-ups: each is described like any call, and only a read passes. */
  lookUps(session: LendingSession): SendUpstream {
    return async (request, scope) => {
      if (!this.#options.assumeRole) return (await this.#own(session))(request, scope)
      const account = session.roleArn.split(':')[4] ?? ''
      const call = describeCall(request, scope, { account })
      const reveals = SETTINGS.has(call.operation) ? 'data' : call.reveals
      if (!isRead({ effects: call.effects, reveals })) throw new Error('a look-up that is no read')
      const read = { ...call, account, resources: [] }
      const policy = readPolicy(read, { accounts: this.#options.accounts() })
      const lent = await this.#lent(session, policy, 'look-up', SESSION_SECONDS_MIN)
      return (await this.#sender(session, lent))(request, scope)
    }
  }

  /** Drops what is kept for a session: it was closed or revoked. */
  forget(sessionId: string): void {
    this.#kept.delete(sessionId)
  }

  /** Drops what is kept for every session that is not open any more. */
  async forgetEnded(): Promise<void> {
    for (const { session } of [...this.#kept.values()]) {
      if (!(await this.#options.isOpen(session))) this.forget(session.id)
    }
  }

  /**
   * Tries a role with tags and a source identity, denied everything; what it gets is thrown away.
   * Errors: `role_not_assumable`, `credentials_unavailable`.
   */
  async checkRole(roleArn: string): Promise<void> {
    if (!this.#options.assumeRole) return
    const session = { id: 'check', operator: 'seconder', agent: 'seconder', roleArn }
    const policy = { policy: DENY_ALL, digest: '', wider: [] }
    await this.#assume(session, policy, 'none', SESSION_SECONDS_MIN)
  }

  /** Calls that wait for a connection to AWS. */
  get waiting(): number {
    return this.#options.exchange.waiting
  }

  close(): void {
    this.#kept.clear()
    this.#options.exchange.close()
    this.#options.stsExchange.close()
  }

  /** The narrowest policy that STS has not refused as too large. */
  #policyOf(action: Action, evidence: Evidence): SessionPolicy {
    const accounts = this.#options.accounts()
    for (const charsMax of CHARS_MAX) {
      const policy = sessionPolicy(action, evidence, { accounts, charsMax })
      if (!this.#tooLarge.has(policy.digest)) return policy
    }
    throw tooLarge('split the call into smaller ones, then run it again')
  }

  async #own(session: LendingSession): Promise<SendUpstream> {
    await this.#requireOpen(session)
    const credentials = await this.#options.source.current()
    return this.#sender(session, { credentials, expiresAtMs: null })
  }

  /** A sender that looks once more, right before it sends: session open, credentials not at their end. */
  async #sender(session: LendingSession, lent: Lent): Promise<SendUpstream> {
    const { exchange, clock, isOpen } = this.#options
    await this.#requireOpen(session)
    const send = senderAs(lent.credentials, exchange, clock)
    return async (request, scope) => {
      if (!(await isOpen(session))) throw new UpstreamSilence('the session has ended', false)
      if (!usable(lent, clock.nowMs())) throw new UpstreamSilence('the credentials ended', false)
      return send(request, scope)
    }
  }

  async #requireOpen(session: LendingSession): Promise<void> {
    if (await this.#options.isOpen(session)) return
    this.forget(session.id)
    throw new GatewayError(
      'session_closed',
      'this session has ended; nothing was done',
      'let the operator open a new one: `seconder session open`',
    )
  }

  async #lent(
    session: LendingSession,
    policy: SessionPolicy,
    request: string,
    seconds: number,
  ): Promise<Lent> {
    await this.#requireOpen(session)
    const key = `${policy.digest} ${request}`
    const held = this.#kept.get(session.id)?.lent.get(key)
    if (held) {
      const lent = await held
      if (usable(lent, this.#options.clock.nowMs())) return lent
    }
    // Somebody may have asked anew while this one waited.
    const again = this.#kept.get(session.id)?.lent.get(key)
    if (again && again !== held) return again
    const asked = this.#assume(session, policy, request, seconds)
    this.#keep(session, key, asked)
    try {
      return await asked
    } catch (cause) {
      this.#drop(session.id, key, asked)
      throw cause
    }
  }

  #keep(session: LendingSession, key: string, asked: Promise<Lent>): void {
    let ofSession = this.#kept.get(session.id)
    if (!ofSession) {
      if (this.#kept.size >= KEPT_SESSIONS_MAX) dropOldest(this.#kept)
      ofSession = { session, lent: new Map() }
      this.#kept.set(session.id, ofSession)
    }
    ofSession.lent.delete(key)
    if (ofSession.lent.size >= KEPT_POLICIES_MAX) dropOldest(ofSession.lent)
    ofSession.lent.set(key, asked)
  }

  #drop(sessionId: string, key: string, asked: Promise<Lent>): void {
    const lent = this.#kept.get(sessionId)?.lent
    if (lent?.get(key) === asked) lent.delete(key)
  }

  async #assume(
    { id, operator, agent, roleArn }: Omit<LendingSession, 'accessKeyId'>,
    { policy, digest }: SessionPolicy,
    request: string,
    seconds: number,
  ): Promise<Lent> {
    const { stsExchange: exchange, clock, source } = this.#options
    const own = await source.current()
    const call = {
      roleArn,
      sessionName: sessionName(id),
      sourceIdentity: sourceIdentity(operator),
      tags: [
        ['seconder:agent', tagValue(agent)],
        ['seconder:request', tagValue(request)],
      ],
      policy,
      seconds,
    } as const
    let lent: Lent
    try {
      lent = await assumeRole({ exchange, clock, region: this.#regionFor(roleArn) }, own, call)
    } catch (cause) {
      throw this.#refused(cause, roleArn, digest)
    }
    if (!usable(lent, clock.nowMs())) throw unavailable('AWS STS lent what has ended already')
    return lent
  }

  #regionFor(roleArn: string): string {
    const partition = roleArn.split(':')[1] ?? 'aws'
    const { region } = this.#options
    if (region !== undefined && partitionOf(region) === partition) return region
    return DEFAULT_REGIONS[partition] ?? 'us-east-1'
  }

  #refused(cause: unknown, roleArn: string, digest: string): unknown {
    if (!(cause instanceof StsRefusal)) return cause
    if (/^PackedPolicyTooLarge/.test(cause.code)) {
      if (this.#tooLarge.size >= TOO_LARGE_MAX) dropOldest(this.#tooLarge)
      this.#tooLarge.add(digest)
      return tooLarge(
        'run the call again: a new review will show how much wider its credentials are',
      )
    }
    return roleRefusal(cause, roleArn)
  }
}

/**
 * Look-ups whose answers may hold secrets among their settings: they stay in the gate, and `resolve` keeps
 * nothing of them but role, version, time of change and hash (resolve/holder.ts).
 */
const SETTINGS: ReadonlySet<string> = new Set([
  'codebuild:BatchGetProjects',
  'ecs:DescribeTaskDefinition',
  'glue:GetJob',
  'lambda:GetFunctionConfiguration',
])

/** As decided on the path: nothing is changed and no secret is shown. */
function isRead({ effects, reveals }: Pick<Action, 'effects' | 'reveals'>): boolean {
  const harmless = effects.every((effect) => effect === 'read' || effect === 'list')
  return harmless && (reveals === 'nothing' || reveals === 'data')
}

/**
 * The session, and a part nobody can know beforehand: no resource policy can name this session (H9).
 * 2 to 64 of `[\w+=,.@-]`; a session id is 28 characters. Source: STS API, AssumeRole, RoleSessionName.
 */
function sessionName(sessionId: string): string {
  return `${sessionId}-${randomId('r').slice(2)}`.slice(0, 64)
}

/** At least two characters. Source: STS API, AssumeRole, SourceIdentity. */
function sourceIdentity(operator: string): string {
  return operator.length < 2 ? `${operator}@seconder` : operator
}

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html */
function tagValue(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256)
}

function roleRefusal(refusal: StsRefusal, roleArn: string): GatewayError {
  if (refusal.code !== 'AccessDenied' && refusal.code !== 'AccessDeniedException') {
    return unavailable(`AWS STS answered ${refusal.code} for \`${roleArn}\``, { cause: refusal })
  }
  const missing = refusal.action ?? 'AccessDenied'
  return new GatewayError(
    'role_not_assumable',
    `AWS does not lend the role \`${roleArn}\` to the gate (${missing}); nothing was done`,
    'its trust policy must allow the gate sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity',
    { cause: refusal },
  )
}

function tooLarge(help: string): GatewayError {
  return new GatewayError(
    'not_narrowed',
    'AWS STS finds the session policy of this call too large; nothing was done',
    help,
  )
}

function dropOldest(kept: { keys(): Iterator<string>; delete(key: string): boolean }): void {
  const oldest = kept.keys().next()
  if (!oldest.done) kept.delete(oldest.value)
}
