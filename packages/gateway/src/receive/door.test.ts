// What the door does with an answer that is a stream: all of it, or a connection that visibly broke.
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { Gateway } from '../gateway.ts'
import { answerDoor } from './door.ts'
import type { Reply } from './received.ts'
import { Spool } from './spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-door-'))
const spool = new Spool(folder)
const servers: http.Server[] = []

afterAll(() => rmSync(folder, { recursive: true }))

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A door before a path that answers every request so. */
async function doorWith(reply: (received: { gone: AbortSignal }) => Promise<Reply>) {
  const gateway = { handle: reply } as unknown as Gateway
  const ended: Promise<void>[] = []
  const server = http.createServer((incoming, outgoing) => {
    const { port } = server.address() as AddressInfo
    const facts = {
      hosts: [`127.0.0.1:${port}`],
      names: [],
      named: null,
      measure: () => 'none' as const,
    }
    ended.push(answerDoor({ gateway, spool }, incoming, outgoing, facts))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ended }
}

const answer = (body: Reply['body'], headers: Reply['headers'] = []): Reply => ({
  status: 200,
  headers,
  body,
})

test('a stream is handed over whole, however large, and its length stays as the upstream said it', async () => {
  const size = 3_000_000
  const part = Buffer.alloc(100_000, 7)
  const { url, ended } = await doorWith(async () =>
    answer(Readable.from(Array.from({ length: 30 }, () => part)), [['content-length', `${size}`]]),
  )
  const got = await fetch(url)
  expect(got.headers.get('content-length')).toBe(String(size))
  expect((await got.arrayBuffer()).byteLength).toBe(size)
  await Promise.all(ended)
})

test('a source that breaks off is a broken connection, never a short answer', async () => {
  const source = new PassThrough()
  const { url, ended } = await doorWith(async () => answer(source))
  source.write('half')
  const got = await fetch(url)
  source.destroy(new Error('reset'))
  await expect(got.text()).rejects.toThrow()
  await Promise.all(ended)
})

test('a source that broke before it was read is a broken connection too', async () => {
  const source = new PassThrough()
  source.destroy()
  const { url, ended } = await doorWith(async () => answer(source))
  await expect(fetch(url).then((got) => got.text())).rejects.toThrow()
  await Promise.all(ended)
})

test('a client that goes lets go of the source', async () => {
  const source = new PassThrough()
  const { url, ended } = await doorWith(async () => answer(source))
  source.write('half')
  const leaving = new AbortController()
  await fetch(url, { signal: leaving.signal })
  const closed = new Promise((resolve) => source.once('close', resolve))
  leaving.abort()
  await closed
  await Promise.all(ended)
})

test('a client that went before the answer came lets go of the source', async () => {
  const source = new PassThrough()
  const leaving = new AbortController()
  const { url, ended } = await doorWith(async ({ gone }) => {
    leaving.abort()
    await new Promise((resolve) => gone.addEventListener('abort', resolve))
    return answer(source)
  })
  await expect(fetch(url, { signal: leaving.signal })).rejects.toThrow()
  await Promise.all(ended)
  expect(source.destroyed).toBe(true)
})

test('a body of bytes and an iterable of them are answers too', async () => {
  const bytes = await doorWith(async () => answer(Buffer.from('all')))
  expect(await (await fetch(bytes.url)).text()).toBe('all')
  const parts = async function* () {
    yield Buffer.from('al')
    yield Buffer.from('l')
  }
  const iterable = await doorWith(async () => answer(parts()))
  expect(await (await fetch(iterable.url)).text()).toBe('all')
})
