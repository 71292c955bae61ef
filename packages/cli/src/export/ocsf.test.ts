// One event for each type of entry, held against the schema.
import type { Entry, SshAct } from '@seconder/gateway/record/entry'
import { expect, test } from 'vitest'
import { OcsfEvents } from './ocsf.ts'
import type { OcsfObject } from './ocsf-event.ts'
import { problemsOf } from './ocsf-schema.fixture.ts'

const AT = '2026-08-21T10:00:00.000Z'
const ACT: SshAct = { statement: '{}', signature: 'SIGNATURE', publicKey: 'PUBLIC-KEY' }
const CALL = {
  session: 's-1',
  operator: 'alice',
  agent: 'kiro',
  role: 'deploy',
  operation: 'dynamodb:DeleteTable',
  resources: ['arn:aws:dynamodb:eu-west-1:123456789012:table/orders'],
  environments: ['production'],
  effects: ['destroy'],
  digest: 'ab'.repeat(32),
  epoch: 2,
}
const REQUEST = {
  request: 'r-1',
  requirement: ['sre:1'],
  policies: ['p1'],
  document: 'cd'.repeat(32),
  expiresAt: AT,
} as const
const CHANGE = {
  kind: 'add-person',
  person: 'dora',
  teams: ['sre'],
  keys: ['ssh-ed25519 AAAA'],
  identities: [],
} as const
const PEOPLE = { ...CHANGE, teams: [...CHANGE.teams], keys: [...CHANGE.keys], identities: [] }

/** A new type of entry does not compile without a sample here. */
const SAMPLES: { [Type in Entry['type']]: Entry & { type: Type } } = {
  'gate-created': {
    type: 'gate-created',
    at: AT,
    ledgerKey: 'name+00+KEY',
    nonce: '00',
    people: [],
  },
  'epoch-activated': {
    type: 'epoch-activated',
    at: AT,
    epoch: 2,
    version: 'ef'.repeat(32),
    content: '12'.repeat(32),
    acts: [ACT],
  },
  'gate-started': { type: 'gate-started', at: AT, epoch: 2, refusing: null },
  'gate-restored': {
    type: 'gate-restored',
    at: AT,
    backupAt: AT,
    backupSize: 10,
    ledger: 'kept',
    sessions: 1,
    grants: 1,
    requests: 0,
  },
  'people-signed': { type: 'people-signed', at: AT, change: PEOPLE, signer: 'bob', act: ACT },
  'people-changed': {
    type: 'people-changed',
    at: AT,
    change: PEOPLE,
    by: 'two-people',
    acts: [ACT],
  },
  'people-cancelled': { type: 'people-cancelled', at: AT, change: PEOPLE, by: null, act: null },
  'signed-in': { type: 'signed-in', at: AT, person: 'bob', use: 'console', act: null },
  away: { type: 'away', at: AT, signer: 'bob', away: { to: 'carol', until: AT }, act: ACT },
  'relying-party': {
    type: 'relying-party',
    at: AT,
    rpId: 'gate.example',
    origins: ['https://gate.example'],
  },
  'session-opened': {
    type: 'session-opened',
    at: AT,
    session: 's-1',
    operator: 'alice',
    agent: 'kiro',
    role: 'deploy',
    act: ACT,
  },
  'child-session-opened': {
    type: 'child-session-opened',
    at: AT,
    session: 's-2',
    parent: 's-1',
    operator: 'alice',
    agent: 'kiro',
    role: 'audit',
    label: 'x',
    expiresAt: AT,
  },
  'session-suspended': {
    type: 'session-suspended',
    at: AT,
    session: 's-1',
    operator: 'alice',
    used: 's-2',
    from: 'user 1000',
  },
  'session-resumed': {
    type: 'session-resumed',
    at: AT,
    session: 's-1',
    operator: 'alice',
    expiresAt: AT,
    act: ACT,
  },
  'session-closed': { type: 'session-closed', at: AT, session: 's-1', act: null },
  unverified: { type: 'unverified', at: AT, code: 'signature_mismatch' },
  refused: {
    type: 'refused',
    at: AT,
    session: 's-1',
    operator: 'alice',
    code: 'limit_reached',
    operation: null,
  },
  denied: { type: 'denied', at: AT, code: 'denied_by_policy', policies: ['p1', 'p2'], ...CALL },
  read: {
    type: 'read',
    at: AT,
    policies: [],
    ...CALL,
    operation: 'dynamodb:GetItem',
    effects: ['read'],
  },
  'request-opened': { type: 'request-opened', at: AT, ...REQUEST, ...CALL },
  'plan-opened': { type: 'plan-opened', at: AT, ...REQUEST, ...CALL, steps: [] },
  'plan-recording': {
    type: 'plan-recording',
    at: AT,
    plan: 'p-1',
    session: 's-1',
    operator: 'alice',
    agent: 'kiro',
    epoch: 2,
  },
  'plan-step': { type: 'plan-step', at: AT, plan: 'p-1', step: 1, ...CALL },
  'plan-stopped': {
    type: 'plan-stopped',
    at: AT,
    plan: 'p-1',
    session: 's-1',
    step: null,
    why: 'another call came',
  },
  'break-glass-opened': {
    type: 'break-glass-opened',
    at: AT,
    breakGlass: 'b-1',
    session: 's-1',
    operator: 'alice',
    effects: ['destroy'],
    resources: ['*'],
    effectsMax: 1,
    until: AT,
    act: ACT,
  },
  'break-glass-reviewed': {
    type: 'break-glass-reviewed',
    at: AT,
    breakGlass: 'b-1',
    session: 's-1',
    reviewer: 'bob',
    act: ACT,
  },
  review: {
    type: 'review',
    at: AT,
    request: 'r-1',
    reviewer: 'bob',
    verdict: 'deny',
    strength: 'hardware',
    act: ACT,
  },
  'request-closed': { type: 'request-closed', at: AT, request: 'r-1', state: 'expired', by: null },
  'request-cancelled': {
    type: 'request-cancelled',
    at: AT,
    request: 'r-1',
    session: 's-1',
    by: 'operator',
    signer: 'alice',
    act: ACT,
  },
  'request-escalated': {
    type: 'request-escalated',
    at: AT,
    request: 'r-1',
    team: 'leads',
    alternative: null,
  },
  'grant-made': {
    type: 'grant-made',
    at: AT,
    grant: 'g-1',
    request: 'r-1',
    digest: CALL.digest,
    reviewers: ['bob'],
    expiresAt: AT,
  },
  'plan-approved': {
    type: 'plan-approved',
    at: AT,
    grant: 'g-2',
    request: 'r-2',
    digest: CALL.digest,
    reviewers: ['bob'],
    expiresAt: AT,
  },
  'grant-revoked': {
    type: 'grant-revoked',
    at: AT,
    grant: 'g-1',
    request: 'r-1',
    why: 'taken back',
    signer: null,
    act: null,
  },
  'grant-expired': { type: 'grant-expired', at: AT, grant: 'g-1', request: 'r-1' },
  intent: {
    type: 'intent',
    at: AT,
    effect: 'e-1',
    request: 'r-1',
    grant: 'g-1',
    policies: ['p1'],
    observed: null,
    ...CALL,
  },
  redacted: {
    type: 'redacted',
    at: AT,
    payload: 'ab'.repeat(32),
    reason: 'a customer name stood in it',
    by: ['alice', 'bob'],
    acts: [],
    session: 's-1',
  },
  'retention-ended': {
    type: 'retention-ended',
    at: AT,
    payloads: ['ab'.repeat(32)],
    epoch: 1,
    days: 90,
  },
  outcome: {
    type: 'outcome',
    at: AT,
    effect: 'e-1',
    outcome: { result: 'succeeded', status: 200, upstreamRequestId: 'U' },
  },
}

function eventsOf(entries: readonly unknown[]): OcsfObject[] {
  const events = new OcsfEvents()
  return entries.map((entry, index) =>
    events.take({
      index,
      hash: '9f'.repeat(32),
      text: typeof entry === 'string' ? entry : JSON.stringify(entry),
    }),
  )
}

test('every type of entry is an event that the schema of OCSF 1.9.0 takes', () => {
  const entries = Object.values(SAMPLES)
  const events = eventsOf(entries)
  for (const [index, event] of events.entries()) {
    expect({ type: entries[index]?.type, problems: problemsOf(event) }).toEqual({
      type: entries[index]?.type,
      problems: [],
    })
    expect(event).toMatchObject({
      time: Date.parse(AT),
      metadata: { version: '1.9.0', sequence: index },
    })
    // A type that is known never falls through to the form for those that are not.
    expect(event['class_uid']).not.toBe(0)
  }
  // Public, and nobody's business in a SIEM: what is signed stays in the ledger.
  expect(JSON.stringify(events)).not.toMatch(/SIGNATURE|PUBLIC-KEY|AAAA/)
})

test('an outcome is an event of the call that it ends, under one correlation id', () => {
  const { intent, outcome } = SAMPLES
  const [begun, ended] = eventsOf([intent, outcome]) as [OcsfObject, OcsfObject]
  expect(begun).toMatchObject({
    class_uid: 6003,
    activity_name: 'Delete',
    status_id: 0,
    disposition: 'Approved',
    actor: { user: { name: 'alice' }, iam_role: { name: 'deploy' } },
    ai_agent: { uid: 'kiro', instance_uid: 's-1' },
    api: { operation: 'DeleteTable', service: { name: 'dynamodb' } },
    resources: [{ uid: CALL.resources[0] }],
    metadata: { correlation_uid: 'r-1' },
  })
  expect(ended).toMatchObject({
    api: { operation: 'DeleteTable', response: { code: 200 } },
    status_id: 1,
    metadata: { correlation_uid: 'r-1' },
  })
})

test.each([
  [{ result: 'failed', status: 400, errorCode: 'E', upstreamRequestId: null }, 'Failure'],
  [
    {
      result: 'partial',
      status: 200,
      detail: 'd',
      failed: ['x'],
      failedCount: 1,
      upstreamRequestId: null,
    },
    'Partial',
  ],
  [{ result: 'accepted', status: 200, upstreamRequestId: null }, 'Accepted'],
  [{ result: 'confirmed', confirmed: 'failed', detail: 'DELETE_FAILED' }, 'Failure'],
  [{ result: 'confirmed', confirmed: 'unconfirmed', detail: 'd' }, 'Unknown'],
  [{ result: 'unknown', detail: 'silence' }, 'Unknown'],
  [{ result: 'withheld', detail: 'no witness' }, 'Failure'],
  [{ result: 'of a newer build' }, 'Unknown'],
])('the outcome %j is %s, also where its intent is not known', (outcome, status) => {
  for (const before of [[SAMPLES.intent], []]) {
    const event = eventsOf([...before, { ...SAMPLES.outcome, outcome }]).at(-1) as OcsfObject
    expect({ problems: problemsOf(event), status: event['status'] }).toEqual({
      problems: [],
      status,
    })
  }
})

test('what this build does not know, or cannot read, is told by its type and nothing more', () => {
  const odd = [
    'no json',
    '{"type":5}',
    JSON.stringify({ type: 'of-tomorrow', at: AT, secret: 'HIDDEN' }),
  ]
  const events = eventsOf(odd)
  for (const event of events) expect(problemsOf(event)).toEqual([])
  expect(events.map((event) => event['class_uid'])).toEqual([0, 0, 0])
  expect(JSON.stringify(events)).not.toMatch(/HIDDEN|no json/)
})
