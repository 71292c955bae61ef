// What the console reads from a gate, and what anybody else tries there.
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DeleteTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isConsoleBuilt } from '../console/stage.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  await gate.dynamodb(keys).send(new ListTablesCommand({}))
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const at = (path: string) => gate.running.consoleUrl + path
const page = { headers: { accept: 'text/html' } }
/** As a member who signed in. */
const read = async (path: string, init: RequestInit = {}) =>
  fetch(at(path), { ...init, headers: await gate.readerHeaders() })

test('each address of a page is the one document, under a policy that lets nothing else in', async () => {
  expect(isConsoleBuilt).toBe(true)
  for (const path of [
    '/',
    '/requests/r-none',
    '/sessions',
    '/ledger?from=3',
    '/policies',
    '/people',
  ]) {
    const answer = await fetch(at(path), page)
    expect(answer.status, path).toBe(200)
    expect(await answer.text(), path).toContain('<div id="root">')
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  }
})

test('a program gets words at the address of a request, the same whether there is one or not', async () => {
  for (const id of ['r-none', requestIdIn(await refusedDelete())]) {
    const answer = await fetch(at(`/requests/${id}`))
    expect(answer.status, id).toBe(200)
    const words = await answer.text()
    expect(words).toContain(`seconder request show ${id}`)
    // Who has not signed in learns nothing of it.
    expect(words).not.toContain('DeleteTable')
  }
  expect(await (await fetch(at('/'))).text()).toContain('seconder request ls')
})

test('who has not signed in reads nothing', async () => {
  const session = `/api/sessions/${keys.sessionId}/entries`
  for (const path of [
    '/api/ledger/entries',
    '/api/ledger/files',
    session,
    '/api/events',
    '/api/policies',
  ]) {
    expect((await fetch(at(path))).status, path).toBe(401)
  }
})

function refusedDelete(): Promise<Error> {
  const sent = gate.dynamodb(keys).send(new DeleteTableCommand({ TableName: 'orders' }))
  return sent.then(
    () => Promise.reject(new Error('the call passed')),
    (error: Error) => error,
  )
}

test('a file is one of the build or of the ledger, and no other', async () => {
  const odd = [
    '/assets/..%2f..%2fpackage.json',
    '/assets/index.js',
    '/api/ledger/files/..%2f..%2fstate%2fstate.db',
    '/api/ledger/files/../../state/state.db',
    '/api/ledger/files/checkpoint%00',
    '/api/ledger/files/tile/0/x001/..',
    '/api/ledger/files/ledger.key',
  ]
  for (const path of odd) expect((await read(path)).status, path).toBe(404)
  const { files } = (await (await read('/api/ledger/files')).json()) as { files: string[] }
  expect(files).toContain('checkpoint')
  expect((await read('/api/ledger/files/checkpoint')).status).toBe(200)
})

/** Names of the files that the gate lists, so many at once. */
async function listed(limit: number): Promise<string[]> {
  const files: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const answer: Response = await read(`/api/ledger/files?limit=${limit}&after=${after}`)
    const page = (await answer.json()) as { files: string[]; next: string | null }
    expect(page.files.length).toBeLessThanOrEqual(limit)
    files.push(...page.files)
    after = page.next
  }
  return files
}

test('names of files come page by page, each once and in their order, however small the pages are', async () => {
  await refusedDelete()
  const { ledgerDirectory } = gate.config()
  // A gate that has just recorded something moves files while they are listed.
  await vi.waitFor(async () => {
    const found = readdirSync(ledgerDirectory, { recursive: true, withFileTypes: true })
    const all = found
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ledgerDirectory, join(entry.parentPath, entry.name)))
    expect(all.length).toBeGreaterThan(3)
    for (const limit of [1, 2, 1_000]) expect(await listed(limit)).toEqual(all.sort())
  }, 30_000)
})

test('entries come by their place, a session has its own, numbers that are none are none', async () => {
  const { checkpoint } = await gate.client.facts()
  const newest = (await (await read('/api/ledger/entries?limit=2')).json()) as Listed
  expect(newest.entries.map(({ index }) => index)).toEqual([
    checkpoint.size - 1,
    checkpoint.size - 2,
  ])
  expect(newest.next).toBe(checkpoint.size - 3)
  const session = `/api/sessions/${keys.sessionId}/entries`
  const own = (await (await read(session)).json()) as Listed
  expect(own.entries.map(({ type }) => type).slice(0, 2)).toEqual(['session-opened', 'read'])
  for (const query of ['from=-1', 'from=1e9', 'from=%00', 'limit=99999999999999999999']) {
    expect((await read(`/api/ledger/entries?${query}`)).status, query).toBe(200)
  }
  const beyond = (await (await read('/api/ledger/entries?from=999999')).json()) as Listed
  expect(beyond.entries[0]?.index).toBe(checkpoint.size - 1)
})

test('events tell which kind of entry of whom, and nothing of what is in it', async () => {
  const ending = new AbortController()
  const answer = await read('/api/events', { signal: ending.signal })
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  const first = new TextDecoder().decode((await reader.read()).value)
  expect(first).toContain('event: beat')
  const other = await gate.open('bob')
  let text = ''
  while (!text.includes('session-opened'))
    text += new TextDecoder().decode((await reader.read()).value)
  const data = JSON.parse(/data: (\{.*\})/.exec(text)?.[1] ?? '{}')
  expect(Object.keys(data).sort()).toEqual(['index', 'session', 'type'])
  expect(data.session).toBe(other.sessionId)
  ending.abort()
})

interface Listed {
  readonly entries: readonly { readonly index: number; readonly type: string }[]
  readonly next: number | null
}
