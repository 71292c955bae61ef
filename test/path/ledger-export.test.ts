// The ledger as a SIEM gets it: verified, in order, from where it ended, and nothing of a log that was changed.
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { problemsOf } from '@seconder/cli/export/ocsf-schema.fixture'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, REAL_KEY, startFakeUpstream } from '../fakes/upstream.ts'
import { CommandLine, expectRefused } from './command.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness
let commands: CommandLine
let following: ChildProcess | undefined

afterEach(async () => {
  following?.kill('SIGKILL')
  await gate.stop()
  await upstream.close()
  commands.remove()
})

/** A gate at which a table was deleted after a review, and looked for before and after. */
async function worked(): Promise<Keys> {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  commands = new CommandLine(gate)
  const keys = await gate.open('alice')
  const client = gate.dynamodb(keys)
  await client.send(new ListTablesCommand())
  const remove = new DeleteTableCommand({ TableName: 'orders' })
  const held = await client.send(remove).catch((error: unknown) => error)
  await gate.review('bob', requestIdIn(held), 'approve', 'it is unused')
  await client.send(remove)
  return keys
}

async function exported(...args: readonly string[]) {
  const { code, out, err } = await commands.person(null, 'ledger', 'export', ...args)
  const lines = out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { code, err, out, lines }
}

test('every entry is a line, and the next export goes on where this one ended', async () => {
  const keys = await worked()
  const folder = join(gate.folder, 'ledger')
  const cursor = join(gate.folder, 'cursor')
  const entries = await gate.entries()
  const all = await exported(folder, '--cursor', cursor)
  const last = entries.length - 1
  expect(all.err).toBe(`exported ${entries.length} entries, verified; go on with --after ${last}\n`)
  expect(all.lines).toEqual(
    entries.map((entry, index) => ({
      index,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      ...entry,
    })),
  )
  expect(all.lines[0]?.['hash']).toBe((await gate.client.facts()).gate)
  for (const secret of [keys.secretAccessKey, REAL_KEY.secretAccessKey])
    expect(all.out).not.toContain(secret)

  const events = await exported(folder, '--format', 'ocsf')
  expect(events.lines.map((event) => problemsOf(event))).toEqual(entries.map(() => []))
  const deletions = events.lines.filter(({ activity_name: name }) => name === 'Delete')
  expect(deletions.map(({ metadata }) => (metadata as { event_code: string }).event_code)).toEqual([
    'request-opened',
    'intent',
    'outcome',
  ])
  for (const secret of [keys.secretAccessKey, REAL_KEY.secretAccessKey])
    expect(events.out).not.toContain(secret)

  await gate.dynamodb(keys).send(new ListTablesCommand())
  const more = await exported(folder, '--cursor', cursor, '--since', '1h', '--until', '2999-01-01')
  expect(more.lines.map(({ index, type }) => [index, type])).toEqual([[last + 1, 'read']])
  expect(statSync(cursor).mode & 0o777).toBe(0o600)
})

test('nothing is exported of a log that was changed, cut short or replaced', async () => {
  await worked()
  await gate.restartSame()
  const folder = join(gate.folder, 'ledger')
  const run = (...args: readonly string[]) => commands.person(null, 'ledger', 'export', ...args)
  const { length } = await gate.entries()
  expectRefused(await run(folder, '--after', String(length)), 1, 'ledger_not_continued')

  const cursor = join(gate.folder, 'cursor')
  writeFileSync(cursor, `${length - 1} ${'0'.repeat(64)}\n`)
  const replaced = await run(folder, '--cursor', cursor)
  expect([replaced.code, replaced.out]).toEqual([1, ''])
  expect(replaced.err).toContain('(ledger_not_continued)')

  const copy = join(gate.folder, 'copy')
  cpSync(folder, copy, { recursive: true })
  cpSync(`${folder}.vkey`, `${copy}.vkey`)
  for (const name of readdirSync(join(copy, 'tile', 'entries'), { recursive: true }).map(String)) {
    const path = join(copy, 'tile', 'entries', name)
    const bytes = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0)
    const at = bytes.indexOf('orders')
    if (at > 0) writeFileSync(path, bytes.fill('0', at, at + 6))
  }
  expectRefused(await run(copy), 1, 'ledger_unverified')
})

test('a log that is followed gives what is recorded later, verified, until it is told to stop', async () => {
  const keys = await worked()
  const folder = join(gate.folder, 'ledger')
  const before = (await gate.entries()).length
  const cursor = join(gate.folder, 'cursor')
  const main = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
  const child = spawn(process.execPath, [
    main,
    'ledger',
    'export',
    folder,
    '--follow',
    '--cursor',
    cursor,
  ])
  following = child
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString('utf8')
  })
  const lines = () => out.split('\n').length - 1
  await expect.poll(lines, { timeout: 60_000 }).toBe(before)
  for (let round = 1; round <= 2; round++) {
    await gate.dynamodb(keys).send(new ListTablesCommand())
    await expect.poll(lines, { timeout: 60_000 }).toBe(before + round)
  }
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  const read = out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { index: number; type: string })
  expect(read.map(({ index }) => index)).toEqual(read.map((_, index) => index))
  expect(read.slice(before).map(({ type }) => type)).toEqual(['read', 'read'])
  expect(readFileSync(cursor, 'utf8')).toMatch(new RegExp(`^${before + 1} [0-9a-f]{64}\n$`))
})
