// The load of the review bench, and of its smaller twin among the tests: many pending requests, many reviewers
// who sign at once, some of them twice and some too late; and what the ledger must then say of each request.

import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@seconder/aws/call'
import { CommandFailure } from '@seconder/cli/failure'
import type { GateClient } from '@seconder/cli/gate-client'
import { nonce } from '@seconder/cli/nonce'
import { sampleAction } from '@seconder/gateway/decide/sample-request'
import type { Gate } from '@seconder/gateway/gate'
import {
  SESSION_LIFETIME_MS_MAX,
  SESSION_NAMESPACE,
} from '@seconder/gateway/identify/session-opening'
import { canonicalJson, digestOf } from '@seconder/gateway/lib/canonical-json'
import { randomId } from '@seconder/gateway/lib/ids'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { signSshMessage } from '@seconder/gateway/lib/ssh/sign'
import { NO_EVIDENCE } from '@seconder/gateway/resolve/evidence'
import { OPEN_REQUESTS_PER_SESSION_MAX } from '@seconder/gateway/review/caps'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'

/** Policy asks for two people, one of sre, where rights of production change. */
export const REVIEWS_NEEDED = 2
const REQUIREMENT = ['any:2', 'sre:1']
const STATEMENT_MS = 5 * 60_000
const ROLE = 'arn:aws:iam::123456789012:role/agent-deploy'
/** Of ten requests, one is answered twice by one person and by somebody too many. */
const CROWDED_EACH = 10
const SESSIONS_AT_ONCE = 64
/** Of one operator, who may have 50 requests open; a gate is founded by one entry, which holds some 400 people. */
const SESSIONS_EACH = 2

/** What a reviewer's client reads off the document before it signs. */
export interface Opened {
  readonly id: string
  readonly session: string
  readonly epoch: number
  readonly digest: string
  readonly shown: string
}

/** How many people it takes who ask: one operator may not ask so much. */
export function operatorsFor(count: number): number {
  return Math.ceil(count / (SESSIONS_EACH * OPEN_REQUESTS_PER_SESSION_MAX))
}

/** Opens requests at the gate's own desk, a session of each operator full, as the path does. */
export async function openRequests(
  gate: Gate,
  count: number,
  operators: readonly Member[],
): Promise<Opened[]> {
  const opened: Opened[] = []
  const { epoch, gate: gateId } = await gate.facts()
  const sessions = Math.ceil(count / OPEN_REQUESTS_PER_SESSION_MAX)
  const waiting = Array.from({ length: sessions }, (_, number) => number).values()
  const openSessions = async () => {
    for (const number of waiting) {
      const operator = operators[Math.floor(number / SESSIONS_EACH)] as Member
      const first = number * OPEN_REQUESTS_PER_SESSION_MAX
      const session = await openSession(gate, gateId, operator)
      const end = Math.min(count, first + OPEN_REQUESTS_PER_SESSION_MAX)
      for (let index = first; index < end; index += 1) {
        opened[index] = await openedOne(gate, session, epoch)
      }
    }
  }
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, openSessions))
  return opened
}

/** Nobody uses the keys that are sealed to it. */
const SEALED_TO = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x as string

async function openSession({ sessions, clock }: Gate, gateId: string, operator: Member) {
  const nowMs = clock.nowMs()
  const statement = {
    type: SESSION_NAMESPACE,
    gate: gateId,
    operator: operator.name,
    agent: 'bench',
    role: 'deploy',
    sessionPublicKey: Buffer.from(SEALED_TO, 'base64url').toString('base64'),
    signedAt: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + SESSION_LIFETIME_MS_MAX).toISOString(),
    nonce: nonce(),
  }
  const { sessionId } = await sessions.open(await signedBy(operator, statement, SESSION_NAMESPACE))
  return { id: sessionId, operator: operator.name }
}

interface Session {
  readonly id: string
  readonly operator: string
}

async function openedOne(
  { desk }: Gate,
  { id: session, operator }: Session,
  epoch: number,
): Promise<Opened> {
  const role = `r${randomId('x').slice(2)}`
  const action = sampleAction({
    operation: 'iam:AttachRolePolicy',
    iamActions: ['iam:AttachRolePolicy'],
    service: 'iam',
    effects: ['permissions'],
    parameters: { RoleName: role, PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
  })
  const told = { action: action as never, session, role: ROLE, epoch, binding: {} }
  const digest = digestOf(told)
  const context = {
    agent: 'bench',
    operator,
    role: 'deploy',
    isolation: 'user',
    breakGlass: false,
  } as const
  const { id, documentSha256 } = await desk.open({
    epoch,
    digest,
    actionDigest: digest,
    session,
    roleArn: ROLE,
    context,
    action,
    evidence: NO_EVIDENCE,
    requirement: REQUIREMENT as never,
    policies: ['production-permissions'],
    reason: 'changing who may do what in production needs two people, one of sre',
    agentSays: null,
    history: { reads: 0, writes: 0, refused: 0 },
    summary: `Attaches ReadOnlyAccess to the role ${role}.`,
  })
  return { id, session, epoch, digest, shown: documentSha256 }
}

export interface Member {
  readonly name: string
  /** One line of a `.pub` file. */
  readonly publicKey: string
  readonly keyPath: string
}

/** People with a key file each, in this folder. */
export async function madeMembers(
  folder: string,
  count: number,
  is: 'reviewer' | 'operator',
): Promise<Member[]> {
  const names = Array.from({ length: count }, (_, index) => `${is}-${index}`)
  return Promise.all(
    names.map(async (name) => {
      const keyPath = join(folder, name)
      await generateEd25519KeyFile(keyPath, name)
      const publicKey = readFileSync(`${keyPath}.pub`, 'utf8').trim()
      return { name, publicKey, keyPath }
    }),
  )
}

/** Signed in this process: a program started for each would be what is measured. */
export async function signedBy(
  { publicKey, keyPath }: Member,
  statement: JsonObject,
  namespace: string,
) {
  const text = canonicalJson(statement)
  const signing = { message: text, namespace, keyPath }
  const signature = await signSshMessage({ ...signing, agentSocket: undefined, keygen: null })
  return { statement: text, signature, publicKey }
}

interface Attempt {
  readonly opened: Opened
  readonly reviewer: Member
}

/** Two people for each request, and for some of them also one of the two again and a third. */
function attempts(opened: readonly Opened[], reviewers: readonly Member[]): Attempt[] {
  const all = opened.flatMap((one, index) => {
    const at = (offset: number) => reviewers[(index * 7 + offset) % reviewers.length] as Member
    const [first, second, third] = [at(0), at(3), at(5)]
    const crowd = index % CROWDED_EACH === 0 ? [first, third] : []
    return [first, second, ...crowd].map((reviewer) => ({ opened: one, reviewer }))
  })
  // Nobody goes through them in the order of the others.
  return all
    .map((attempt, index) => ({ attempt, at: Math.imul(index + 1, 2_654_435_761) >>> 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ attempt }) => attempt)
}

export interface Reviewed {
  /** `REQUEST REVIEWER` of each verdict that the gate took. */
  readonly taken: readonly string[]
  readonly refused: ReadonlyMap<string, number>
  /** Of those that were taken, in milliseconds. */
  readonly tookMs: readonly number[]
  readonly seconds: number
}

/** Every reviewer goes through their own attempts, all of them at once. */
export async function reviewAll(
  client: GateClient,
  opened: readonly Opened[],
  reviewers: readonly Member[],
  nowMs: () => number,
): Promise<Reviewed> {
  const { gate, checkpoint } = await client.facts()
  const taken: string[] = []
  const refused = new Map<string, number>()
  const tookMs: number[] = []
  const mine = Map.groupBy(attempts(opened, reviewers), ({ reviewer }) => reviewer)
  const review = async ({ opened: { id, epoch, digest, shown }, reviewer }: Attempt) => {
    const statement = {
      ...{
        type: 'seconder-review@v1',
        verdict: 'approve',
        gate,
        epoch,
        request: id,
        digest,
        shown,
      },
      ...{ reviewer: reviewer.name, comment: '', nonce: nonce(), checkpoint },
      expiresAt: new Date(nowMs() + STATEMENT_MS).toISOString(),
    }
    const act = await signedBy(reviewer, statement, REVIEW_NAMESPACE)
    const begun = performance.now()
    try {
      await client.post('/api/reviews', act)
      tookMs.push(performance.now() - begun)
      taken.push(`${id} ${reviewer.name}`)
    } catch (cause) {
      if (!(cause instanceof CommandFailure)) throw cause
      refused.set(cause.code, (refused.get(cause.code) ?? 0) + 1)
    }
  }
  const begun = performance.now()
  await Promise.all(
    [...mine.values()].map(async (own) => {
      for (const attempt of own) await review(attempt)
    }),
  )
  return { taken, refused, tookMs, seconds: (performance.now() - begun) / 1_000 }
}

/** How many verdicts are sent for so many requests. */
export function attemptsFor(count: number): number {
  return count * REVIEWS_NEEDED + Math.ceil(count / CROWDED_EACH) * 2
}

/** What is wrong with the ledger, in words: nothing lost, nothing counted twice, or the first of it. */
export function problemsOf(
  entries: readonly Record<string, unknown>[],
  opened: readonly Opened[],
  taken: readonly string[],
): string[] {
  const problems: string[] = []
  const reviews = Map.groupBy(ofType(entries, 'review'), ({ request }) => request)
  const grants = Map.groupBy(ofType(entries, 'grant-made'), ({ request }) => request)
  const recorded = new Set<string>()
  for (const { id } of opened) {
    const names = (reviews.get(id) ?? []).map(({ reviewer }) => String(reviewer))
    const made = grants.get(id) ?? []
    for (const name of names) recorded.add(`${id} ${name}`)
    if (names.length !== REVIEWS_NEEDED) problems.push(`${id} has ${names.length} reviews`)
    if (new Set(names).size !== names.length) problems.push(`${id} has one person twice`)
    if (made.length !== 1) problems.push(`${id} has ${made.length} grants`)
    const rested = [...((made[0]?.['reviewers'] as string[] | undefined) ?? [])].sort().join(' ')
    if (rested !== names.sort().join(' ')) problems.push(`${id}: its grant rests on ${rested}`)
  }
  const lost = taken.filter((one) => !recorded.has(one))
  if (lost.length > 0) problems.push(`${lost.length} that were taken are not in the ledger`)
  if (taken.length !== recorded.size) {
    problems.push(`${taken.length} were taken and ${recorded.size} are in the ledger`)
  }
  return problems
}

function ofType(entries: readonly Record<string, unknown>[], type: string) {
  return entries.filter((entry) => entry['type'] === type)
}
