// The load of `npm run bench -- --only review`, smaller: many requests wait, ten people answer all of them at
// once, some twice and some too late. Nothing is lost, nothing counted twice, and the ledger says so alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GateClient } from '@seconder/cli/gate-client'
import { SignedReading } from '@seconder/cli/sign-in'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  attemptsFor,
  madeMembers,
  openRequests,
  operatorsFor,
  problemsOf,
  reviewAll,
  signedBy,
} from '../../bench/src/gate/review-load.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'

const REQUESTS = 300
const REVIEWERS = 10

let folder: string
let upstream: FakeUpstream
let gate: Harness

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-load-'))
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

test('three hundred requests and ten reviewers at once: each verdict counts once, and none is lost', async () => {
  const reviewers = await madeMembers(folder, REVIEWERS, 'reviewer')
  const operators = await madeMembers(folder, operatorsFor(REQUESTS), 'operator')
  await gate.running.close()
  for (const part of ['state', 'ledger']) rmSync(join(gate.folder, part), { recursive: true })
  const people = [...reviewers, ...operators].map(({ name, publicKey }) => ({
    name,
    teams: name.startsWith('reviewer') ? ['sre'] : [],
    sshKeys: [publicKey],
  }))
  await gate.restart({
    people,
    review: { holdMs: 0, expiresInMs: 600_000, grantExpiresInMs: 600_000 },
  })
  const [reader] = reviewers
  if (!reader) throw new Error('nobody reviews')
  // Reads as one of them: carol, who reads in other tests, is nobody here.
  const reading = new SignedReading({
    sign: (statement, namespace) => signedBy(reader, statement, namespace),
  })
  const client = new GateClient(gate.running.consoleUrl, reading)
  const running = gate.running.gate
  const opened = await openRequests(running, REQUESTS, operators)
  expect(await running.store.requests({ state: 'pending', limit: 1_000 })).toHaveLength(REQUESTS)

  const { taken, refused } = await reviewAll(client, opened, reviewers, Date.now)
  const sent = taken.length + [...refused.values()].reduce((sum, count) => sum + count, 0)
  expect(sent).toBe(attemptsFor(REQUESTS))
  expect([...refused.keys()].sort()).toEqual(expect.arrayContaining(['request_closed']))
  expect(problemsOf(await gate.entries(), opened, taken)).toEqual([])
  expect(await running.store.requests({ state: 'approved', limit: 1_000 })).toHaveLength(REQUESTS)
  expect(await running.store.requests({ state: 'pending', limit: 1_000 })).toEqual([])

  // The pages of it: whole, in order, nothing twice.
  const walked: string[] = []
  for (let before = ''; ; ) {
    const path = `/api/requests?limit=70${before && `&before=${before}`}`
    const page = await client.get<{ requests: { requestId: string }[]; next: string | null }>(path)
    walked.push(...page.requests.map(({ requestId }) => requestId))
    if (page.next === null) break
    before = page.next
  }
  expect(walked).toHaveLength(REQUESTS)
  expect(new Set(walked)).toEqual(new Set(opened.map(({ id }) => id)))

  const session = opened[0]?.session
  const entriesOf = async () => {
    const { entries } = await client.get<{ entries: { type: string }[] }>(
      `/api/sessions/${session}/entries`,
    )
    return entries.map(({ type }) => type)
  }
  const asRecorded = await entriesOf()
  expect(asRecorded.filter((type) => type === 'review')).toHaveLength(40)
  await gate.running.close()
  await gate.restart({ people })
  // Read from the ledger after a start, it is the same as what was noted while it came.
  expect(await entriesOf()).toEqual(asRecorded)
})
