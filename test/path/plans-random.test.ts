// Random plans and random agents: whatever an agent calls, in whatever order, as often and as much at once as it
// likes, only the calls of its approved plan have an effect, in order, once each, and none after the first deviation.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { activateEpoch } from './acts.ts'
import { Harness } from './harness.ts'
import { ForwardClock, PlanCase, randomPlan, tagged } from './plan-case.ts'
import { pick, type Random, randomFrom } from './quorum.ts'
import { dynamodbCall, rawCall } from './wire.ts'

// The same each time, so that a change is judged by what it changed; `SECONDER_PLANS_SEED` takes others.
const SEED = Number(process.env['SECONDER_PLANS_SEED'] ?? 292736)
const CASES = Number(process.env['SECONDER_PLANS_CASES'] ?? 16)
const MOVES = 9
/** Calls that are tried after a plan is over. */
const AFTER = 2
/** Each may ask for 200 things a day. */
const OPERATORS = Array.from({ length: 1 + Math.ceil(CASES / 15) }, (_, index) => `op${index}`)
const AFTER_WINDOW_MS = 31 * 60_000

const clock = new ForwardClock()
const policies = mkdtempSync(join(tmpdir(), 'seconder-plans-'))
let upstream: FakeUpstream
let gate: Harness
let epochs = 1

beforeAll(async () => {
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  upstream = await startFakeUpstream(() => Date.now())
  const people = ['bob', 'carol', ...OPERATORS].map((name) => [name, ['sre']] as const)
  gate = await Harness.start({
    upstream: upstream.url,
    policies,
    teams: Object.fromEntries(people),
  })
})

afterAll(async () => {
  await gate.stop()
  vi.unstubAllGlobals()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

/** One move of an agent, or of somebody who ends what it may do. False where it makes no sense here. */
type Move = (of: PlanCase, random: Random) => Promise<boolean>

/** Whatever ends a plan, at a moment when calls of it are left. */
async function ends(of: PlanCase, act: () => Promise<unknown>, alsoDone = 0): Promise<boolean> {
  if (!of.next) return false
  const before = of.done
  await act()
  of.isOver = true
  expect(of.done).toBe(before + alsoDone)
  return true
}

const strays = (of: PlanCase, call: Parameters<PlanCase['run']>[0] | undefined) =>
  call === undefined || of.isNext(call) ? Promise.resolve(false) : ends(of, () => of.run(call))

const MOVES_BY_NAME: Readonly<Record<string, Move>> = {
  next: async (of) => {
    const { next, done } = of
    if (!next) return false
    expect((await of.run(next)).status).toBe(200)
    expect(of.done).toBe(done + 1)
    return true
  },
  read: async (of) => {
    const { done } = of
    expect((await of.run(dynamodbCall('ListTables', {}))).status).toBe(200)
    expect(of.done).toBe(done)
    return true
  },
  copy: async (of) => {
    const { next, done } = of
    if (!next) return false
    await of.twiceSigned(next)
    expect(of.done).toBe(done + 1)
    return true
  },
  repeated: (of) => strays(of, of.plan[of.done - 1]),
  skipping: (of) => strays(of, of.plan[of.done + 1]),
  altered: (of) => strays(of, tagged('orders', 'altered')),
  refused: (of) => ends(of, () => of.failing(of.next ?? tagged('orders', '1'), 'refused'), 1),
  silent: (of) => ends(of, () => of.failing(of.next ?? tagged('orders', '1'), 'silent'), 1),
  revoked: (of) => ends(of, () => of.revoke()),
  expired: (of) =>
    ends(of, async () => {
      const { next } = of
      clock.forward(AFTER_WINDOW_MS)
      if (next) expect((await of.run(next)).status).toBeGreaterThanOrEqual(400)
    }),
  epoch: (of) =>
    ends(of, async () => {
      const rule = `@id("n${++epochs}") forbid (principal, action == Action::"stop", resource);\n`
      writeFileSync(join(policies, 'more.cedar'), rule)
      expect(await activateEpoch(gate, ['bob', 'carol'])).toBe(epochs)
    }),
  closed: (of) => ends(of, () => of.end()),
  // Two and more at once: whatever comes first, the list decides; the plan may be over after it.
  atOnce: async (of, random) => {
    const { next, done } = of
    if (!next) return false
    const after = of.plan[done + 1] ?? next
    const others = [next, after, tagged('orders', 'altered'), dynamodbCall('ListTables', {})]
    const calls = [next, pick(random, others), pick(random, others)]
    await Promise.all(calls.map((call) => of.run(call)))
    of.isOver = !['approved', 'running'].includes(await of.state())
    return true
  },
}

/** What may happen again and again, and what each case comes to in its turn. */
const GOING = ['next', 'next', 'next', 'read', 'copy']
const FATES = Object.keys(MOVES_BY_NAME).filter((name) => !GOING.includes(name))

async function played(index: number, made: Map<string, number>): Promise<void> {
  const random = randomFrom(SEED + index)
  const fate = FATES[index % FATES.length] ?? ''
  const operator = OPERATORS[index % OPERATORS.length] ?? ''
  const of = await PlanCase.approved({ gate, upstream, clock, operator }, randomPlan(random))
  const story: string[] = []
  let after = 0
  for (let move = 0; move < MOVES && after < AFTER; move++) {
    const name = of.isOver ? 'any' : random() < 0.6 ? pick(random, GOING) : fate
    const before = of.done
    if (of.isOver && ++after > 0) await of.run(pick(random, [...of.plan, tagged('carts', 'other')]))
    else if (!(await MOVES_BY_NAME[name]?.(of, random))) continue
    story.push(name)
    made.set(name, (made.get(name) ?? 0) + 1)
    const told = `seed ${SEED} case ${index}: ${story.join(' ')}`
    expect(of.plan.length, told).toBeGreaterThanOrEqual(of.done)
    if (name === 'any') expect(of.done, told).toBe(before)
    of.requirePrefix()
    if (!of.isOver && of.done === of.plan.length) of.isOver = true
  }
  const state = await of.state()
  expect(['approved', 'running'].includes(state), `${state} after ${story.join(' ')}`).toBe(
    !of.isOver,
  )
  if (!story.includes('closed')) await of.end()
}

test('random calls at random plans: only the list, in order, once each, nothing after a deviation', async () => {
  const made = new Map<string, number>()
  for (let index = 0; index < CASES; index++) await played(index, made)
  process.stdout.write(`plans: ${JSON.stringify([...made].sort())}\n`)
  // A test in which nothing runs, or nothing goes wrong, proves nothing.
  expect(made.get('next')).toBeGreaterThan(CASES / 4)
  expect(made.size).toBeGreaterThan(CASES < 16 ? 4 : 9)
})

test('an epoch change in the middle of a plan ends it: its next step asks anew, under the new policies', async () => {
  const plan = [tagged('orders', '1'), tagged('orders', '2'), tagged('orders', '3')]
  const of = await PlanCase.approved({ gate, upstream, clock, operator: 'op0' }, plan)
  expect((await of.run(tagged('orders', '1'))).status).toBe(200)
  await MOVES_BY_NAME['epoch']?.(of, randomFrom(1))
  expect((await of.run(tagged('orders', '2'))).body).toContain('needs review')
  expect(of.done).toBe(1)
  expect(await of.state()).toMatch(/^(stopped|revoked)$/)
  // What the old plan approved is not even a copy of anything: a plan of the new epoch is made afresh.
  expect((await rawCall(of.keys, tagged('orders', '3'))).body).toContain('needs review')
  of.requirePrefix()
  await of.end()
})
