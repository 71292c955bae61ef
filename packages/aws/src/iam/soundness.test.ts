// What must hold of any policies at any level, tried on random ones: a deny more, a boundary, a session
// policy, an SCP or an RCP only take away; no order means anything; and an answer given without a key is
// the answer for every value of it.
import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../call.ts'
import { authorize, type PolicySet, type Verdict } from './authorize.ts'
import { ACCOUNT, OTHER, SESSION } from './iam.fixture.ts'
import {
  compiledSet,
  DOMAIN,
  made,
  type Next,
  pick,
  random,
  requestOf,
  shuffled,
  statement,
  statements,
  type Written,
  written,
} from './random.fixture.ts'
import type { ContextValue, IamRequest } from './request.ts'

const LESS: Readonly<Record<Verdict['answer'], number>> = { deny: 0, unknown: 1, allow: 2 }
const ROUNDS = 2_000

function seen() {
  const counts = { allow: 0, deny: 0, unknown: 0 }
  return {
    note: (answer: Verdict['answer']) => {
      counts[answer] += 1
    },
    /** Worth asking only where all three answers come up. */
    check: () => expect(Math.min(...Object.values(counts))).toBeGreaterThan(50),
  }
}

test('an explicit deny more, at any level, never gives more', () => {
  const next = random(11)
  const answers = seen()
  for (let round = 0; round < ROUNDS; round++) {
    const set = compiledSet(written(next))
    const request = requestOf(next, next(2) === 0)
    const before = authorize(request, set).answer
    answers.note(before)
    for (const more of withDeny(next, set)) {
      expect(LESS[authorize(request, more).answer]).toBeLessThanOrEqual(LESS[before])
    }
  }
  answers.check()
})

/** The set with one deny more: once for each level that it has. */
function withDeny(next: Next, set: PolicySet): PolicySet[] {
  const deny = (kind: 'identity' | 'boundary' | 'session' | 'scp' | 'rcp' | 'resource') =>
    made(kind, [statement(next, kind, 'Deny')])
  const { boundary, session, scps, rcps, resource } = set
  const joined = <T extends NonNullable<typeof boundary>>(old: T, more: T): T => ({
    ...old,
    statements: [...old.statements, ...more.statements],
  })
  return [
    { ...set, identity: [...set.identity, deny('identity')] },
    ...(boundary ? [{ ...set, boundary: joined(boundary, deny('boundary')) }] : []),
    ...(session ? [{ ...set, session: [...session, deny('session')] }] : []),
    ...(scps.length > 0
      ? [{ ...set, scps: [[...(scps[0] ?? []), deny('scp')], ...scps.slice(1)] }]
      : []),
    ...(rcps.length > 0 ? [{ ...set, rcps: [[...(rcps[0] ?? []), deny('rcp')]] }] : []),
    ...(resource && resource !== 'unknown'
      ? [{ ...set, resource: joined(resource, deny('resource')) }]
      : []),
  ]
}

test('a boundary, a session policy, an SCP and an RCP only take away', () => {
  const next = random(12)
  const answers = seen()
  for (let round = 0; round < ROUNDS; round++) {
    const bare: Written = { ...written(next), boundary: null, session: null, scps: [], rcps: [] }
    const set = compiledSet(bare)
    const request = requestOf(next, next(2) === 0)
    const before = authorize(request, set).answer
    answers.note(before)
    const bounded: PolicySet[] = [
      { ...set, boundary: made('boundary', statements(next, 'boundary')) },
      { ...set, scps: [[made('scp', statements(next, 'scp'))]] },
      { ...set, rcps: [[made('rcp', statements(next, 'rcp'))]] },
      // A federated user has nothing without one.
      ...(request.principal.kind === 'federated-user'
        ? []
        : [{ ...set, session: [made('session', statements(next, 'session'))] }]),
    ]
    for (const more of bounded) {
      expect(LESS[authorize(request, more).answer]).toBeLessThanOrEqual(LESS[before])
    }
  }
  answers.check()
})

test('no order means anything: of policies, statements, elements, operators, keys or values', () => {
  const next = random(13)
  const answers = seen()
  const turned = (one: JsonObject): JsonObject => shuffledJson(next, one) as JsonObject
  const level = (policies: readonly (readonly JsonObject[])[]) =>
    shuffled(
      next,
      policies.map((one) => shuffled(next, one).map(turned)),
    )
  for (let round = 0; round < ROUNDS; round++) {
    const set = written(next)
    const request = requestOf(next, next(2) === 0)
    const other: Written = {
      ...set,
      identity: level(set.identity),
      boundary: set.boundary && shuffled(next, set.boundary).map(turned),
      session: set.session && level(set.session),
      scps: set.scps.map(level),
      rcps: set.rcps.map(level),
      resource: set.resource && shuffled(next, set.resource).map(turned),
    }
    const { answer, step, dependsOn } = authorize(request, compiledSet(set))
    answers.note(answer)
    expect(authorize(request, compiledSet(other))).toMatchObject({ answer, step, dependsOn })
  }
  answers.check()
})

function shuffledJson(next: Next, value: Json): Json {
  if (Array.isArray(value)) return shuffled(next, value)
  if (value === null || typeof value !== 'object') return value
  const entries = shuffled(next, Object.entries(value))
  return Object.fromEntries(entries.map(([key, one]) => [key, shuffledJson(next, one)]))
}

test('an answer without a key is the answer for every value of it, and an open one has two', () => {
  const next = random(14)
  const answers = seen()
  let open = 0
  let witnessed = 0
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const set = compiledSet(written(next))
    const request = requestOf(next, false)
    const verdict = authorize(request, set)
    answers.note(verdict.answer)
    const told = Array.from({ length: 24 }, () => authorize(toldOf(next, request), set).answer)
    if (verdict.answer !== 'unknown') {
      expect(new Set(told)).toEqual(new Set([verdict.answer]))
      continue
    }
    expect(verdict.dependsOn.length).toBeGreaterThan(0)
    // What depends on who asks, or on a variable without a value, no value of a key can settle.
    if (!verdict.dependsOn.every((key) => key in DOMAIN)) continue
    open += 1
    if (told.includes('allow') && told.includes('deny')) witnessed += 1
  }
  answers.check()
  expect(open).toBeGreaterThan(100)
  // The rest are open for good: statements that a missing variable may void, or that hide each other.
  expect(witnessed / open).toBeGreaterThan(0.5)
})

/** The request with a value for each key that was not told. */
function toldOf(next: Next, request: IamRequest): IamRequest {
  const keys = new Map<string, ContextValue>(request.context.keys)
  for (const [key, values] of Object.entries(DOMAIN)) {
    if (!keys.has(key)) keys.set(key, values[next(values.length)] ?? null)
  }
  return { ...request, context: { keys, others: 'absent' } }
}

test('with every key told only what AWS itself leaves open is open', () => {
  const next = random(15)
  let open = 0
  for (let round = 0; round < ROUNDS; round++) {
    const request = requestOf(next, true)
    const { answer, dependsOn } = authorize(request, compiledSet(written(next)))
    if (answer !== 'unknown') continue
    open += 1
    // A canonical user, a variable without a value or with several, whose resource it is.
    const known = ['principal', 'aws:a', 'aws:list', 'aws:resourceaccount']
    expect(dependsOn.filter((key) => !known.includes(key))).toEqual([])
  }
  expect(open).toBeGreaterThan(10)
})

test('an answer for a pattern of resources is the answer for each of them', () => {
  const next = random(16)
  const answers = seen()
  const patterns = ['arn:aws:s3:::data/*', 'arn:aws:s3:::*', 'arn:aws:s3:::?ata/key', '*']
  for (let round = 0; round < ROUNDS; round++) {
    const set = compiledSet(written(next))
    const resource = pick(next, patterns)
    const request = { ...requestOf(next, true), resource, resourceIsPattern: true }
    const { answer, dependsOn } = authorize(request, set)
    answers.note(answer)
    if (answer === 'unknown') {
      expect(dependsOn.length).toBeGreaterThan(0)
      continue
    }
    for (let turn = 0; turn < 12; turn++) {
      const one = filledPattern(next, resource)
      const told = authorize({ ...request, resource: one, resourceIsPattern: false }, set)
      expect([resource, one, told.answer]).toEqual([resource, one, answer])
    }
  }
  answers.check()
})

function filledPattern(next: Next, pattern: string): string {
  const pieces = ['', 'key', 'data/key', 'other/key', 'x', 'data', 'arn:aws:s3:::data/key']
  return pattern
    .replaceAll('*', () => pick(next, pieces))
    .replaceAll('?', () => pick(next, ['d', 'x']))
}

test('an answer without knowing the account, or the policy of the resource, is the answer for any', () => {
  const next = random(17)
  const answers = seen()
  for (let round = 0; round < 4 * ROUNDS; round++) {
    const set = compiledSet(written(next))
    const request = { ...requestOf(next, next(2) === 0), resourceAccount: null }
    const { answer } = authorize(request, set)
    answers.note(answer)
    const blind = { ...request, resourceAccount: pick(next, [ACCOUNT, OTHER, null]) }
    const unseen = authorize(blind, { ...set, resource: 'unknown' }).answer
    for (const resourceAccount of [ACCOUNT, OTHER]) {
      const told = authorize({ ...request, resourceAccount }, set).answer
      if (answer !== 'unknown') expect(told).toBe(answer)
    }
    if (unseen === 'unknown') continue
    for (const resource of [
      null,
      ...Array.from({ length: 8 }, () => statements(next, 'resource')),
    ]) {
      const seenPolicy = resource && made('resource', resource)
      expect(authorize(blind, { ...set, resource: seenPolicy }).answer).toBe(unseen)
    }
  }
  answers.check()
})

test('an answer about a role without a session is the answer for each of its sessions', () => {
  const next = random(18)
  const answers = seen()
  const role = { kind: 'role', arn: SESSION.arn, account: ACCOUNT } as const
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const set = compiledSet(written(next))
    const request = { ...requestOf(next, next(2) === 0), principal: role }
    const { answer } = authorize(request, set)
    answers.note(answer)
    if (answer === 'unknown') continue
    for (const name of ['s-1', 'other']) {
      const sessionArn = `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/${name}`
      const principal = { ...role, kind: 'session' as const, sessionArn }
      expect(authorize({ ...request, principal }, set).answer).toBe(answer)
    }
  }
  answers.check()
})
