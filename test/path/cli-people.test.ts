// What people type for break-glass, changes of people and being away, as processes against a real gate: exit codes,
// one JSON line with --json, and what a refusal says.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShownBreakGlass } from '@seconder/gateway/api/break-glass'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { CommandLine, expectRefused, jsonOf } from './command.ts'
import { ACCOUNT, Harness } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const folder = mkdtempSync(join(tmpdir(), 'seconder-cli-'))
const DAY_MS = 86_400_000

let upstream: FakeUpstream
let receiver: HttpReceiver
let gate: Harness
let seconder: CommandLine

beforeAll(async () => {
  const policies = join(folder, 'policies')
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(
    join(policies, 'break-glass.cedar'),
    `@id("glass") @reason("break-glass") permit (principal is Agent, action in Action::"change",
     resource in Environment::"production") when { context.breakGlass };`,
  )
  upstream = await startFakeUpstream()
  receiver = await startHttpReceiver()
  const raw = NOTIFY.parse({
    channels: { room: { slack: { url: 'env:ROOM' } } },
    people: { bob: ['room'], carol: ['room'] },
    routes: [{ people: ['bob'] }],
  })
  const notify = notifyConfig(raw, { environ: { ROOM: receiver.url }, under: (path) => path })
  gate = await Harness.start({ upstream: upstream.url, policies, breakGlass: true, notify })
  seconder = new CommandLine(gate)
})

afterAll(async () => {
  seconder.remove()
  await gate.stop()
  await Promise.all([upstream.close(), receiver.close()])
  rmSync(folder, { recursive: true, force: true })
})

test('break-glass open, ls and review, and what each refuses', async () => {
  const keys = await gate.open('alice')
  const asked = [
    ...['break-glass', 'open', '--session', keys.sessionId, '--effect', 'destroy'],
    ...['--resource', ORDERS, '--reason', 'the site is down and nobody answers'],
  ]
  const [wide, odd, unsigned, others] = await Promise.all([
    seconder.person('alice', ...asked, '--minutes', '16'),
    seconder.person('alice', ...asked, '--effects', 'all'),
    seconder.person(null, ...asked),
    seconder.person('bob', ...asked),
  ])
  expect(wide).toMatchObject({ code: 2, err: expect.stringContaining('from 1 to 15') })
  expect(odd).toMatchObject({ code: 2, err: expect.stringContaining('from 1 to 10') })
  expectRefused(unsigned, 2, 'usage')
  expect(expectRefused(others, 1, 'not_a_reviewer')).toContain('not the operator')
  const opened = await seconder.person('alice', ...asked)
  expect(opened).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringContaining('Two others must'),
  })
  const id = /b-[0-9a-z]{26}/.exec(opened.out)?.[0] ?? ''
  expect(expectRefused(await seconder.person('alice', ...asked), 1, 'limit_reached')).toContain(
    'break-glass review',
  )
  const review = ['break-glass', 'review', id.slice(0, 9), '--comment', 'looked']
  expectRefused(await seconder.person('bob', ...review), 1, 'request_closed')
  expect((await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))).status).toBe(
    200,
  )
  expectRefused(await seconder.person('alice', ...review), 1, 'not_a_reviewer')
  const first = await seconder.person('bob', ...review)
  expect(first).toMatchObject({ code: 0, out: expect.stringContaining('one more must look') })
  const listed = await seconder.person('bob', 'break-glass', 'ls')
  expect(listed.out).toMatch(/after-review +alice +1 of 1 +bob/)
  const second = jsonOf<ShownBreakGlass>(await seconder.person('carol', ...review, '--json'))
  expect(second).toMatchObject({ id, state: 'closed', used: 1 })
  expect(
    expectRefused(
      await seconder.person('bob', 'break-glass', 'review', 'b-none', '--comment', 'x'),
      1,
      'request_unknown',
    ),
  ).toContain('break-glass ls')
})

test('people add, sign, ls and cancel: two sign, whoever gains does not, and a wrong word is refused', async () => {
  await generateEd25519KeyFile(join(folder, 'dora'), 'dora')
  const add = ['people', 'add', 'dora', '--key', join(folder, 'dora.pub'), '--team', 'sre']
  const [noKey, odd] = await Promise.all([
    seconder.person('alice', 'people', 'add', 'dora', '--key', join(folder, 'none.pub')),
    seconder.person('alice', 'people', 'add', 'Dora Smith', '--key', join(folder, 'dora.pub')),
  ])
  expect(expectRefused(noKey, 2, 'key_unreadable')).toContain('.pub')
  expect(odd).toMatchObject({ code: 2, out: '' })
  const added = await seconder.person('alice', ...add)
  expect(added).toMatchObject({ code: 0, err: expect.stringContaining('You sign: ') })
  const id = /seconder people sign (\S+)/.exec(added.out)?.[1] ?? ''
  expect(id).not.toBe('')
  const again = await seconder.person('alice', 'people', 'sign', id)
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('needs 1 more signature') })
  const signed = await seconder.person('bob', 'people', 'sign', id.slice(0, 10))
  expect(signed).toMatchObject({ code: 0, out: expect.stringContaining('In force: ') })
  const listed = jsonOf<{ people: { name: string; teams: string[] }[] }>(
    await seconder.person('bob', 'people', 'ls', '--json'),
  )
  expect(listed.people).toContainEqual(expect.objectContaining({ name: 'dora', teams: ['sre'] }))
  const waits = jsonOf<{ changeId: string }>(
    await seconder.person('bob', 'people', 'team', 'add', 'carol', 'sre', '--json'),
  )
  const cancelled = await seconder.person('alice', 'people', 'cancel', waits.changeId)
  expect(cancelled).toMatchObject({ code: 0, out: `Cancelled ${waits.changeId}.\n` })
  expect(
    expectRefused(
      await seconder.person('bob', 'people', 'sign', waits.changeId),
      1,
      'change_unknown',
    ),
  ).toContain('people ls')
})

test('people first is refused where somebody is a member, and without a link', async () => {
  const link = join(folder, 'link')
  writeFileSync(link, `${gate.running.consoleUrl}/#not-a-code\n`)
  const first = ['people', 'first', 'mallory', '--link-file']
  const [noLink, late] = await Promise.all([
    seconder.person('alice', ...first, join(folder, 'none')),
    seconder.person('alice', ...first, link),
  ])
  expect(expectRefused(noLink, 1, 'link_unreadable')).toContain('restart the gate')
  expect(expectRefused(late, 1, 'change_refused')).not.toContain('not-a-code')
})

test('people away and back, as a process, with --json too; a day that is none and a stranger are refused', async () => {
  const day = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)
  const away = (to: string, until: string, ...more: string[]) =>
    seconder.person('bob', 'people', 'away', '--until', until, '--to', to, ...more)
  const said = jsonOf<{ away: unknown[] }>(await away('carol', day, '--json'))
  expect(said.away).toEqual([{ person: 'bob', to: 'carol', until: `${day}T23:59:59.000Z` }])
  const [noDay, stranger, unsigned] = await Promise.all([
    away('carol', 'tomorrow'),
    away('nobody', day),
    seconder.person(null, 'people', 'back'),
  ])
  expect(expectRefused(noDay, 2, 'usage')).toContain('2026-12-04')
  expectRefused(stranger, 1, 'change_refused')
  expectRefused(unsigned, 2, 'usage')
  expect(await seconder.person('bob', 'people', 'back')).toEqual({
    code: 0,
    out: 'bob is told of requests again.\n',
    err: '',
  })
})
