// What the gate finds at its start or as time passes: clocks, observe mode, mixed environments, policies
// that fail, and a ledger or state that somebody else has had in hand. None of it ends in an allow.
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { serve } from '@seconder/gateway/serve'
import { afterEach, expect, test, vi } from 'vitest'
import { COMPILED } from '../compiled.ts'
import { onPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, idIn, underClock } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, rawCall, send, signed } from './wire.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const DAY_MS = 24 * 60 * 60 * 1000

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

async function start(options: Partial<HarnessOptions> = {}): Promise<void> {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, ...options })
  keys = await gate.open('alice')
}

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const deleteTable = (name: string) => dynamodbCall('DeleteTable', { TableName: name })
const ledger = () => join(gate.folder, 'ledger')
const state = () => join(gate.folder, 'state')

test('a signature is good for fifteen minutes, and its late replay is refused by the clock', async () => {
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  await gate.review('bob', idIn(await rawCall(keys, deleteTable('orders'))))
  const once = signed(keys, { ...deleteTable('orders'), signedAtMs: clock.nowMs() })
  expect((await send(keys, once)).status).toBe(200)
  clock.advance(15 * 60_000 + 1_000)
  const late = await send(keys, once)
  expect(late.body).toContain('RequestExpired')
  expect((await gate.entries()).at(-1)).toMatchObject({ type: 'unverified', code: 'clock_skew' })
  expect(deletions()).toBe(1)
})

test('a request nobody answered in time says so, and a grant not used in time is gone', async () => {
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  const call = () => rawCall(keys, { ...deleteTable('orders'), signedAtMs: clock.nowMs() })
  const id = idIn(await call())
  clock.advance(60_001)
  await gate.running.gate.desk.sweep()
  const status = await gate.client.get<{ state: string; guidance: string }>(
    `/api/requests/${id}/status`,
  )
  expect(status.state).toBe('expired')
  expect(status.guidance).toContain('nobody answered')
  expect((await gate.entries()).at(-1)).toMatchObject({
    type: 'request-closed',
    state: 'expired',
    by: null,
  })
  await expect(gate.review('bob', id)).rejects.toMatchObject({ code: 'request_closed' })

  const second = idIn(await call())
  expect(second).not.toBe(id)
  await gate.review('bob', second)
  clock.advance(60_001)
  expect(idIn(await call())).not.toBe(second)
  expect(deletions()).toBe(0)
})

test('observe lets a delete through and says so, never a credential or a wrong signature, for 14 days', async () => {
  await start({
    environments: [{ name: 'production', accounts: [ACCOUNT], mode: 'observe' }],
  })
  const clock = new FrozenClock()
  expect((await rawCall(keys, deleteTable('orders'))).status).toBe(200)
  const intent = (await gate.entries()).find(({ type }) => type === 'intent')
  expect(intent).toMatchObject({ observed: 'review', grant: null })
  expect(deletions()).toBe(1)

  const token = queryCall('sts', { Action: 'GetSessionToken', Version: '2011-06-15' })
  expect((await rawCall(keys, token)).body).toContain('credential')
  const forged = await rawCall({ ...keys, secretAccessKey: 'x'.repeat(40) }, deleteTable('orders'))
  expect(forged.body).toContain('InvalidSignatureException')
  const twice = dynamodbCall('DeleteTable', {}, { body: '{"TableName":"a","TableName":"b"}' })
  expect((await rawCall(keys, twice)).body).toContain('ValidationException')
  expect(deletions()).toBe(1)

  clock.advance(14 * DAY_MS)
  await underClock(gate, clock)
  // The session has ended long before: one of that later day is opened.
  const today = vi.spyOn(Date, 'now').mockReturnValue(clock.nowMs())
  const later = await gate.open('alice')
  today.mockRestore()
  const ended = await rawCall(
    { ...later, endpoint: keys.endpoint },
    { ...deleteTable('orders'), signedAtMs: clock.nowMs() },
  )
  expect(ended.body).toContain('needs review')
  expect(deletions()).toBe(1)
})

test('one resource in production makes the whole call one of production', async () => {
  const table = (name: string) => `arn:aws:dynamodb:*:${ACCOUNT}:table/${name}`
  await start({
    environments: [
      { name: 'development', accounts: [ACCOUNT], arns: [table('dev-*')], mode: 'observe' },
      { name: 'production', accounts: [ACCOUNT], mode: 'enforce' },
    ],
  })
  const write = (tables: string[]) =>
    dynamodbCall('BatchWriteItem', {
      RequestItems: Object.fromEntries(
        tables.map((name) => [name, [{ DeleteRequest: { Key: { id: { S: '1' } } } }]]),
      ),
    })
  expect((await rawCall(keys, write(['dev-a', 'dev-b']))).status).toBe(200)
  const mixed = await rawCall(keys, write(['dev-a', 'orders']))
  expect(mixed.body).toContain('in development, production needs review')
  expect(upstream.seen.filter(({ operation }) => operation === 'BatchWriteItem')).toHaveLength(1)
})

test('a policy that errors refuses what it decides, reads and writes, and says which one', async () => {
  await start()
  const folder = join(gate.folder, 'policies')
  mkdirSync(folder)
  cpSync(join(ROOT, 'lab', 'policies'), folder, { recursive: true })
  // Adding past the largest Long is an error at run time that no validation sees; Cedar skips it.
  const broken = 'forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };'
  writeFileSync(join(folder, 'broken.cedar'), `@id("broken-forbid")\n${broken}\n`)
  await gate.running.close()
  rmSync(ledger(), { recursive: true })
  rmSync(state(), { recursive: true })
  await gate.restart({ policiesDirectory: folder })
  keys = await gate.open('alice')
  for (const call of [dynamodbCall('ListTables', {}), deleteTable('orders')]) {
    const answer = await rawCall(keys, call)
    expect(answer.body).toContain('AccessDeniedException')
    expect((await gate.entries()).at(-1)).toMatchObject({
      type: 'denied',
      code: 'policy_error',
      policies: ['broken-forbid'],
    })
  }
  expect(upstream.seen.filter(({ operation }) => !operation.startsWith('Describe'))).toEqual(
    upstream.seen.filter(({ operation }) => operation === 'ListBackups'),
  )
})

test.skipIf(onPostgres())(
  'two gates never share a ledger, and a state never serves the ledger of another gate',
  async () => {
    await start()
    const other = { ...gate.config(), statePath: join(gate.folder, 'other', 'state.db') }
    const free = { host: '127.0.0.1', port: 0 }
    const listen = { aws: free, console: free }
    await expect(serve({ ...other, listen })).rejects.toMatchObject({ code: 'ledger_locked' })
    await expect(
      serve({ ...gate.config(), listen, statePath: join(gate.folder, 'third', 'state.db') }),
    ).rejects.toMatchObject({ code: 'ledger_locked' })

    const foreign = await Harness.start({ upstream: upstream.url })
    await foreign.running.close()
    await gate.running.close()
    await expect(
      gate.restart({ ledgerDirectory: join(foreign.folder, 'ledger') }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(note_unverified|ledger_|state_error)/),
    })
    rmSync(foreign.folder, { recursive: true })
    await gate.restart()
    expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  },
)

test('a ledger that was put back to an older copy is refused at the start', async () => {
  await start()
  await gate.running.close()
  const copy = join(gate.folder, 'copy')
  cpSync(ledger(), copy, { recursive: true })
  await gate.restart()
  await rawCall(keys, dynamodbCall('ListTables', {}))
  await gate.running.close()
  const newest = join(gate.folder, 'newest')
  cpSync(ledger(), newest, { recursive: true })
  rmSync(ledger(), { recursive: true })
  cpSync(copy, ledger(), { recursive: true })
  await expect(gate.restart()).rejects.toMatchObject({ code: 'ledger_older_than_acknowledged' })
  const since = ['--since', join(newest, 'checkpoint')]
  expect(await cli('ledger', 'verify', ledger(), ...since)).toMatchObject({
    code: 1,
    output: expect.stringContaining('WRONG'),
  })
  rmSync(ledger(), { recursive: true })
  cpSync(newest, ledger(), { recursive: true })
  await gate.restart()
})

test('a truncated ledger names its file on the command line, and the gate does not start on it', async () => {
  await start()
  await gate.running.close()
  const kept = join(gate.folder, 'kept')
  cpSync(ledger(), kept, { recursive: true })
  // Smaller partial tiles of the past are not read at the start; `ledger verify` names those too.
  const size = readFileSync(join(ledger(), 'checkpoint'), 'utf8').split('\n')[1]
  const all = readdirSync(ledger(), { recursive: true, encoding: 'utf8' })
  const files = ['checkpoint', ...all.filter((file) => file.endsWith(`.p/${size}`))]
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) {
    truncateSync(join(ledger(), file), statSync(join(ledger(), file)).size - 1)
    const found = await cli('ledger', 'verify', ledger())
    expect(found).toMatchObject({ code: 1, output: expect.stringContaining(file) })
    await expect(gate.restart()).rejects.toMatchObject({
      code: expect.stringMatching(/^(ledger|checkpoint|note)_/),
    })
    cpSync(join(kept, file), join(ledger(), file))
  }
  expect(await cli('ledger', 'verify', ledger())).toMatchObject({ code: 0 })
  await gate.restart()
})

test('the command line says no in one line with a code: own review, unknown request, no gate', async () => {
  await start()
  const id = idIn(await rawCall(keys, deleteTable('orders')))
  const at = ['--gate', gate.running.consoleUrl, '--yes', '--ssh-key']
  const own = await cli('approve', id, ...at, gate.keys.get('alice') ?? '')
  expect(own).toMatchObject({ code: 1, output: expect.stringContaining('(not_a_reviewer)') })
  const none = `r-${'0'.repeat(26)}`
  const unknown = await cli('approve', none, ...at, gate.keys.get('bob') ?? '')
  expect(unknown).toMatchObject({ code: 1, output: expect.stringContaining('(request_unknown)') })
  const absent = await cli('request', 'ls', '--gate', 'http://127.0.0.1:1')
  expect(absent).toMatchObject({ code: 1, output: expect.stringContaining('(gate_unreachable)') })
  for (const { output } of [own, unknown, absent]) expect(output).not.toMatch(/^\s+at /m)
  expect((await rawCall(keys, deleteTable('orders'))).body).toContain('needs review')
  expect(deletions()).toBe(0)
})

test('nothing under the state folder can be read by other users', async () => {
  await start()
  expect(statSync(state()).mode & 0o077).toBe(0)
  expect(statSync(join(state(), 'ledger.key')).mode & 0o077).toBe(0)
  expect(existsSync(join(ledger(), 'ledger.key'))).toBe(false)
  const files = readdirSync(ledger(), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => statSync(join(ledger(), name)).isFile())) {
    expect(readFileSync(join(ledger(), file)).includes(keys.secretAccessKey)).toBe(false)
  }
})

function cli(...parameters: string[]): Promise<{ code: number; output: string }> {
  const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...COMPILED, HOME: gate.folder, NO_COLOR: '1' }
    execFile(process.execPath, [main, ...parameters], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr })
    })
  })
}
