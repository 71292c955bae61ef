// Quorum at the public doors. Random policies, random people, random sequences of reviews, honest and not:
// after each act the gate must stand where an oracle of the test's own says, and nowhere more generous.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, idIn, reviewStatement, underClock } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import {
  cedarOf,
  fewest,
  fulfils,
  namedBy,
  pick,
  type Random,
  type Rule,
  randomFrom,
  randomRule,
  TEAMS,
} from './quorum.ts'
import { type Key, type Person, QuorumPeople } from './quorum-people.ts'
import { dynamodbCall, rawCall } from './wire.ts'

// The same each time, so that a change is judged by what it changed; `SECONDER_QUORUM_SEED` takes others.
const SEED = Number(process.env['SECONDER_QUORUM_SEED'] ?? 292736)
const POLICY_SETS = Number(process.env['SECONDER_QUORUM_POLICIES'] ?? 2)
const REQUESTS = 8
const ACTS = 8
const STEP_MS = 50
const EXPIRES_IN_MS = 20_000
const OPERATOR = 'alice'
const ROOT = join(import.meta.dirname, '..', '..')
const ENVIRONMENTS = ['production', 'staging']
const table = (name: string) => `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${name}`

/** One call of each effect. */
const CALLS: Readonly<Record<string, (name: string) => readonly [string, object]>> = {
  destroy: (name) => ['DeleteTable', { TableName: name }],
  tag: (name) => ['TagResource', { ResourceArn: table(name), Tags: [{ Key: 'a', Value: 'b' }] }],
  write: (name) => [
    'UpdateContributorInsights',
    { TableName: name, ContributorInsightsAction: 'ENABLE' },
  ],
}

let upstream: FakeUpstream
let gate: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

afterAll(async () => {
  await upstream.close()
})

const folders: string[] = []
afterEach(async () => {
  await gate.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function policyFolder(cedar: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-quorum-'))
  folders.push(folder)
  copyFileSync(join(ROOT, 'policies', 'schema.cedarschema'), join(folder, 'schema.cedarschema'))
  writeFileSync(join(folder, 'quorum.cedar'), cedar)
  return folder
}

async function start(
  rules: readonly Rule[],
  teams: Readonly<Record<string, readonly string[]>>,
): Promise<{ clock: FrozenClock; people: QuorumPeople; keys: Keys }> {
  const passkeys = Object.fromEntries(
    [OPERATOR, 'dave', 'erin', 'frank'].map((name) => [name, new Authenticator('Ed25519')]),
  )
  gate = await Harness.start({
    upstream: upstream.url,
    policies: policyFolder(rules.map(cedarOf).join('\n')),
    expiresInMs: EXPIRES_IN_MS,
    teams,
    passkeys,
    environments: ENVIRONMENTS.map((name) => ({
      name,
      accounts: [ACCOUNT],
      arns: [table(`${name}-*`)],
      mode: 'enforce' as const,
    })),
  })
  const keys = await gate.open(OPERATOR)
  const clock = new FrozenClock()
  await underClock(gate, clock)
  return { clock, people: new QuorumPeople(gate, clock, passkeys, teams), keys }
}

interface Review {
  readonly person: Person
  readonly key: Key
  readonly verdict: string
}

type Wrong = 'digest' | 'shown' | 'expired' | 'far' | 'epoch' | 'gate' | 'name' | null

/** One request from its opening to its end, beside what must be so of it. */
class Case {
  readonly rule: Rule
  readonly id: string
  readonly openedAtMs: number
  reviews: Review[] = []
  state = 'pending'
  isVoid = false
  /** Sent before, whether it counted or not. */
  readonly sent: object[] = []
  readonly said: string[] = []
  readonly #clock: FrozenClock

  constructor(rule: Rule, id: string, clock: FrozenClock) {
    this.rule = rule
    this.id = id
    this.#clock = clock
    this.openedAtMs = clock.nowMs()
  }

  get isOver(): boolean {
    return this.#clock.nowMs() >= this.openedAtMs + EXPIRES_IN_MS
  }

  /** Whether a well-made verdict of this key may count at all. */
  mayCount(person: Person, key: Key, verdict: string): boolean {
    return (
      this.state === 'pending' &&
      !this.isOver &&
      person.name !== OPERATOR &&
      !person.removed &&
      !key.removed &&
      person.addedAtMs <= this.openedAtMs &&
      key.addedAtMs <= this.openedAtMs &&
      !this.reviews.some((review) => review.person === person) &&
      !(verdict === 'approve' && this.rule.presence && key.kind === 'ssh')
    )
  }

  /** Somebody whose verdict could still bring it further. */
  isLeft(person: Person): boolean {
    return person.keys.some((key) => this.mayCount(person, key, 'approve'))
  }

  counted(review: Review): void {
    this.reviews.push(review)
    if (review.verdict === 'deny') this.state = 'denied'
    else if (review.verdict !== 'approve') this.state = 'changes_requested'
    else if (fulfils(this.rule, this.#approvals())) this.state = 'approved'
  }

  /** Teams of each whose approval counts now, as they were when the request was opened. */
  #approvals(): string[][] {
    return this.reviews
      .filter(({ verdict }) => verdict === 'approve')
      .map(({ person }) =>
        [...person.teams].flatMap(([t, since]) => (since <= this.openedAtMs ? [t] : [])),
      )
  }

  /** What was taken from somebody takes their approvals along, and a grant that rested on one. */
  takenFrom(person: Person): void {
    if (this.reviews.some((review) => review.person === person && review.verdict === 'approve')) {
      this.isVoid = true
    }
    if (this.state !== 'pending') return
    this.isVoid = false
    this.reviews = this.reviews.filter(
      ({ key, verdict }) => !(key.removed && verdict === 'approve'),
    )
  }
}

async function signed(
  one: Case,
  clock: FrozenClock,
  review: Review,
  wrong: Wrong,
): Promise<object> {
  const expiresInMs = wrong === 'expired' ? 0 : wrong === 'far' ? 601_000 : 60_000
  const changes: Record<string, string | number> = {
    verdict: review.verdict,
    expiresAt: new Date(clock.nowMs() + expiresInMs).toISOString(),
    ...((wrong === 'digest' || wrong === 'shown' || wrong === 'gate') && {
      [wrong]: 'ab'.repeat(32),
    }),
    ...(wrong === 'epoch' && { epoch: 7 }),
  }
  const name = wrong === 'name' ? 'bob-b' : review.person.name
  const statement = await reviewStatement(gate, one.id, changes, name)
  return review.key.sign(statement as never, REVIEW_NAMESPACE)
}

const isTaken = async (act: object): Promise<boolean> => {
  try {
    await gate.client.post('/api/reviews', act)
    return true
  } catch (cause) {
    // A refusal in words, with its code; anything else is the gate falling over.
    expect(cause).toMatchObject({
      code: expect.stringMatching(/_invalid$|^not_a_reviewer$|^request_closed$|^epoch_/),
    })
    return false
  }
}

/** One random act on the request; the model is moved on with it. */
async function step(one: Case, random: Random, people: QuorumPeople, clock: FrozenClock) {
  const review = (person: Person, verdict: string): Review => ({
    person,
    key: pick(random, person.keys),
    verdict,
  })
  const tries = async (made: Review, wrong: Wrong = null) => {
    const act = await signed(one, clock, made, wrong)
    one.sent.push(act)
    const may = wrong === null && one.mayCount(made.person, made.key, made.verdict)
    one.said.push(`${made.verdict} ${made.person.name} ${made.key.kind} ${wrong ?? ''} -> ${may}`)
    expect(await isTaken(act), one.said.at(-1)).toBe(may)
    if (may) one.counted(made)
  }
  const left = people.all.filter((person) => one.isLeft(person))
  const anybody = pick(random, left.length > 0 && random() < 0.6 ? left : people.all)
  const other = pick(random, people.changeable(OPERATOR))
  const operator = people.all.find(({ name }) => name === OPERATOR) as Person
  const taken = (words: string) => {
    one.said.push(words)
    one.takenFrom(other)
  }
  const dice = random()
  if (dice < 0.5) return tries(review(anybody, 'approve'))
  if (dice < 0.53) return tries(review(anybody, pick(random, ['deny', 'request_changes'])))
  if (dice < 0.6) {
    const wrongs = ['digest', 'shown', 'expired', 'far', 'epoch', 'gate', 'name'] as const
    return tries(review(anybody, 'approve'), pick(random, wrongs))
  }
  if (dice < 0.65) return tries(review(operator, 'approve'))
  if (dice < 0.7) {
    for (const act of one.sent) expect(await isTaken(act), 'a replay').toBe(false)
    return
  }
  if (dice < 0.76) return bothAtOnce(one, clock, other)
  if (dice < 0.8)
    return tries({ ...review(anybody, 'approve'), key: await people.stranger() }, 'name')
  if (dice < 0.84) {
    const added = await people.addPerson([pick(random, TEAMS)])
    return tries(review(added, 'approve'))
  }
  if (dice < 0.88) {
    await people.addKey(other)
    return tries({ person: other, key: other.keys.at(-1) as Key, verdict: 'approve' })
  }
  if (dice < 0.91) {
    const theirs = other.keys.filter(({ removed }) => !removed)
    if (theirs.length < 2) return
    await people.removeKey(other, pick(random, theirs))
    return taken(`key of ${other.name} removed`)
  }
  if (dice < 0.94) {
    const [team] = other.teams.keys()
    if (team === undefined) return
    await people.leave(other, team)
    return taken(`${other.name} left ${team}`)
  }
  if (dice < 0.97) {
    const team = pick(random, TEAMS)
    if (!other.teams.has(team)) await people.join(other, team)
    return one.said.push(`${other.name} joined ${team}`)
  }
  if (dice < 0.98) return one.said.push(`late ${clock.advance(EXPIRES_IN_MS)}`)
  if (people.changeable(OPERATOR).length < 4) return
  await people.removePerson(other)
  return taken(`${other.name} removed`)
}

/** The same person by every key they have, all at the same moment: one of them counts, or none. */
async function bothAtOnce(one: Case, clock: FrozenClock, person: Person): Promise<void> {
  const made = person.keys.map((key) => ({ person, key, verdict: 'approve' }))
  const acts = await Promise.all(made.map((review) => signed(one, clock, review, null)))
  const could = made.filter(({ key }) => one.mayCount(person, key, 'approve'))
  const taken = await Promise.all(acts.map(isTaken))
  one.said.push(`${person.name} by ${made.length} keys at once`)
  expect(taken.filter(Boolean).length, one.said.at(-1)).toBe(Math.min(1, could.length))
  const winner = made[taken.indexOf(true)]
  if (winner) one.counted(winner)
}

/** The ledger's own account: no grant without distinct reviewers who signed, none of them the operator. */
async function expectSoundGrants(): Promise<number> {
  const approved = new Map<string, Set<string>>()
  let grants = 0
  for (const entry of await gate.entries()) {
    const { type, request, reviewer, verdict } = entry as Record<string, string>
    if (type === 'review' && verdict === 'approve') {
      approved.set(request ?? '', (approved.get(request ?? '') ?? new Set()).add(reviewer ?? ''))
    }
    if (type !== 'grant-made') continue
    grants += 1
    const reviewers = entry['reviewers'] as string[]
    expect(new Set(reviewers).size).toBe(reviewers.length)
    expect(reviewers).not.toContain(OPERATOR)
    expect(reviewers.every((name) => approved.get(request ?? '')?.has(name))).toBe(true)
  }
  return grants
}

test('no random quorum is met but by its condition: never one person twice, never the operator, nobody added later', async () => {
  process.stdout.write(`quorum test: SECONDER_QUORUM_SEED=${SEED}\n`)
  let grants = 0
  for (let set = 0; set < POLICY_SETS; set += 1) {
    const random = randomFrom(SEED + set)
    const some = () => TEAMS.filter(() => random() < 0.6)
    // Whoever is last reads in these tests, and so stays.
    const names = [OPERATOR, 'dave', 'erin', 'frank', 'grace', 'bob', 'carol']
    const teams = Object.fromEntries(names.map((name) => [name, some()]))
    const rules = ENVIRONMENTS.flatMap((environment) =>
      Object.keys(CALLS).map((effect) => randomRule(random, effect, environment)),
    )
    if (set > 0) await gate.stop()
    const { clock, people, keys } = await start(rules, teams)
    for (let number = 0; number < REQUESTS; number += 1) {
      const rule = pick(random, rules)
      await oneCase({ rule, number, random, clock, people, keys, words: `seed ${SEED + set}` })
    }
    grants += await expectSoundGrants()
  }
  process.stdout.write(`quorum test: ${POLICY_SETS * REQUESTS} requests, ${grants} grants\n`)
  if (SEED === 292736) expect(grants).toBeGreaterThan(3)
})

interface Setting {
  readonly rule: Rule
  readonly number: number
  readonly random: Random
  readonly clock: FrozenClock
  readonly people: QuorumPeople
  readonly keys: Keys
  readonly words: string
}

async function oneCase({
  rule,
  number,
  random,
  clock,
  people,
  keys,
  words,
}: Setting): Promise<void> {
  const name = `${rule.environment}-t${number}`
  const [operation, input] = CALLS[rule.effect]?.(name) ?? ['', {}]
  const call = () => rawCall(keys, dynamodbCall(operation, input, { signedAtMs: clock.nowMs() }))
  clock.advance(STEP_MS)
  const one = new Case(rule, idIn(await call()), clock)
  const asked = await gate.client.get<{ request: { requirement: string[] }; document: string }>(
    `/api/requests/${one.id}`,
  )
  const { requirement } = asked.request
  expect(JSON.parse(asked.document).action.effects, words).toEqual([rule.effect])
  expect(fulfils(rule, namedBy(requirement)), `${words}: ${requirement} of ${cedarOf(rule)}`).toBe(
    true,
  )
  expect(namedBy(requirement).length, `${words}: ${requirement}`).toBe(fewest(rule))
  for (let act = 0; act < ACTS; act += 1) {
    clock.advance(STEP_MS)
    await step(one, random, people, clock)
    const { state } = await gate.client.get<{ state: string }>(`/api/requests/${one.id}/status`)
    const told = `${words}, request ${number}: ${cedarOf(rule)}\n${one.said.join('\n')}`
    if (one.isOver && one.state === 'pending') expect(['pending', 'expired'], told).toContain(state)
    else expect(state, told).toBe(one.state)
  }
  clock.advance(STEP_MS)
  const acted = () =>
    upstream.seen.filter(
      (seen) =>
        seen.operation === operation && Buffer.from(seen.request.body).toString().includes(name),
    ).length
  const before = acted()
  const answer = await call()
  const may = one.state === 'approved' && !one.isVoid
  expect(answer.status === 200, `${words}: ${one.said.join('\n')} ${answer.body}`).toBe(may)
  // A second later, because the very same signed bytes would be a retry of the first.
  clock.advance(1_000)
  expect((await call()).status).not.toBe(200)
  expect(acted() - before).toBe(may ? 1 : 0)
}
