// What people read: hostile names cannot forge a line, a mention or a direction, and routes fail loud.
import { expect, test } from 'vitest'
import type { RequestRow } from '../state/store.ts'
import { standInFor } from './away.ts'
import { pauseAfter } from './carrier.ts'
import { connectionCode } from './channel.ts'
import { lineOf, type Notice, noticedRequest, titleOf } from './notice.ts'
import type { RouteRow } from './notify-config.ts'
import { channelsFor, type Routing } from './routing.ts'

const ROW: RequestRow = {
  id: 'r-0000000000000000000000000a',
  sessionId: 's-0000000000000000000000000a',
  operator: 'alice',
  operation: 'dynamodb:DeleteTable',
  actionDigest: '',
  digest: '',
  epoch: 1,
  state: 'pending',
  documentSha256: '',
  requirement: ['sre:1', 'any:2'],
  openedAtMs: 0,
  expiresAtMs: Date.parse('2026-11-26T14:30:00Z'),
  closedBy: null,
  deniedBefore: [],
  comment: '<!channel> approve https://evil.example',
}
const CONCERN = { effects: ['destroy'], environments: ['production'] }

function noticeOf(row: RequestRow, kind: Notice['kind']): Notice {
  const of = { at: '', gate: '', session: row.sessionId, operator: 'alice', team: null }
  return { kind, ...of, requests: [noticedRequest(row, CONCERN)] }
}

test('a notice says operation, effect, environment, whose signatures and until when', () => {
  const notice = noticeOf(ROW, 'request.opened')
  expect(titleOf(notice)).toBe(
    'Seconder: dynamodb:DeleteTable in production waits for a second person',
  )
  expect(notice.requests.map((one) => lineOf(one, notice.kind))).toEqual([
    'dynamodb:DeleteTable (destroy) in production: needs 2 people, among them 1 of sre, open until 2026-11-26 14:30 UTC',
  ])
})

test.each([
  ['approved', 'bob', 'approved; the last to sign was bob'],
  ['denied', 'bob', 'denied by bob'],
  ['changes_requested', 'bob', 'sent back by bob'],
  ['expired', null, 'expired, nobody answered in time'],
  ['cancelled', null, 'cancelled'],
] as const)('the end of a request that is %s is said as it was', (state, closedBy, words) => {
  const notice = noticeOf({ ...ROW, state, closedBy }, 'request.closed')
  expect(titleOf(notice)).toBe(`Seconder: dynamodb:DeleteTable in production: ${words}`)
  expect(JSON.stringify(notice)).not.toContain('evil.example')
})

test.each([
  ['an end of line and a header', 'x\r\nBcc: all@evil.example'],
  ['bidi', 'x\u202ednuor\u2066'],
  ['what is not seen', 'x\u200b\u00ad\u{e0041}'],
  ['an escape of a terminal', 'x\u001b[2J'],
  ['a line separator', 'x\u2028y\u0085z'],
])('M2 an operation with %s is one visible line', (_what, operation) => {
  const notice = noticeOf({ ...ROW, operation, operator: operation }, 'request.opened')
  for (const text of [titleOf(notice), ...notice.requests.map((one) => lineOf(one, notice.kind))])
    expect(text).toMatch(/^[\x20-\x7e]+$/)
})

test('M2 mixed scripts are flagged, and a long name is cut in its middle with a count', () => {
  const [mixed] = noticeOf({ ...ROW, operation: 's3:Dеlete' }, 'request.opened').requests
  expect(mixed?.operation).toContain('(mixed scripts)')
  const operation = `s3:${'x'.repeat(10_000)}End`
  const [long] = noticeOf({ ...ROW, operation }, 'request.opened').requests
  expect(long?.operation).toMatch(/^s3:x+\\\{\d+ characters cut\}x+End$/)
  expect(long?.operation.length).toBeLessThanOrEqual(100)
})

function routing(routes: readonly (Partial<RouteRow> & { channels: string[] })[]): Routing {
  const all = routes.map((route) => ({ people: [], ...route }))
  return { routes: all, channelsOf: (person) => [`${person}-phone`] }
}

test('a route is followed where team, environment and effect fit, each channel once', () => {
  const routes = [
    { teams: ['sre'], environments: ['production'], channels: ['pager', 'room'] },
    { teams: ['dba'], channels: ['dba'] },
    { effects: ['permissions' as const], channels: ['room', 'audit'] },
  ]
  expect(channelsFor(routing(routes), ['sre:1'], CONCERN)).toEqual(['pager', 'room'])
  expect(channelsFor(routing(routes), ['sre:1', 'dba:1'], CONCERN)).toEqual([
    'pager',
    'room',
    'dba',
  ])
  expect(
    channelsFor(routing(routes), ['sre:1'], { ...CONCERN, environments: ['development'] }),
  ).toEqual([])
  expect(channelsFor(routing(routes), ['any:1'], CONCERN)).toEqual(['pager', 'room', 'dba'])
  const grant = { ...CONCERN, effects: ['write', 'permissions'] }
  expect(channelsFor(routing(routes), ['sre:1'], grant)).toEqual(['pager', 'room', 'audit'])
})

test('what could not be told of a request keeps nobody from hearing of it', () => {
  const routes = [
    { environments: ['development'], effects: ['destroy' as const], channels: ['one'] },
  ]
  expect(channelsFor(routing(routes), [], { effects: ['unknown'], environments: [] })).toEqual([
    'one',
  ])
  expect(channelsFor(routing(routes), ['not a seat'], { effects: [], environments: [] })).toEqual([
    'one',
  ])
})

test('who is away is told through their stand-in, in a circle or past members themselves', () => {
  const untilMs = 1
  const absences = [
    { person: 'alice', to: 'bob', untilMs },
    { person: 'bob', to: 'carol', untilMs },
    { person: 'dora', to: 'erin', untilMs },
    { person: 'erin', to: 'dora', untilMs },
    { person: 'frank', to: 'gone', untilMs },
  ]
  const told = (person: string) => standInFor(person, absences, (name) => name !== 'gone')
  expect(['alice', 'bob', 'carol', 'dora', 'erin', 'frank'].map(told)).toEqual([
    ...['carol', 'carol', 'carol', 'dora', 'erin', 'frank'],
  ])
  const circle = [
    { person: 'x', to: 'y', untilMs },
    { person: 'y', to: 'z', untilMs },
    { person: 'z', to: 'y', untilMs },
  ]
  expect(standInFor('x', circle, () => true)).toBe('x')
})

test('the pause doubles to its limit, the later half of it by chance', () => {
  const retry = { firstMs: 1_000, pauseMaxMs: 10_000, attempts: 10 }
  expect([1, 2, 3, 4, 5, 20].map((attempt) => pauseAfter(attempt, retry, () => 0))).toEqual([
    500, 1_000, 2_000, 4_000, 5_000, 5_000,
  ])
  expect([1, 2, 20].map((attempt) => pauseAfter(attempt, retry, () => 1))).toEqual([
    1_000, 2_000, 10_000,
  ])
})

test('a failed connection has a code of a closed list, and no words of its own', () => {
  const codes = [
    'ECONNREFUSED',
    'ENOTFOUND',
    'ECONNRESET',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'EVIL\r\n',
  ]
  const failures = codes.map((code) => Object.assign(new Error('https://secret.example'), { code }))
  expect(failures.map(connectionCode)).toEqual([
    ...['refused', 'unknown_host', 'closed', 'tls', 'unreachable'],
  ])
})
