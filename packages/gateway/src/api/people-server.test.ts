// A client that is slow, or sends what is no request, is told so in words and let go of; the others are answered.
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closed } from '../lib/listening.ts'
import { servePeople } from './people-server.ts'

const LIMITS = {
  headersMs: 300,
  requestMs: 300,
  lookMs: 50,
  headerBytesMax: 2_048,
  connectionsMax: 20,
}

let running: Awaited<ReturnType<typeof servePeople>>

beforeAll(async () => {
  const answer = async (request: Request) => new Response(await request.text())
  running = await servePeople(answer, { host: '127.0.0.1', port: 0 }, LIMITS)
})

afterAll(() => closed(running.server))

/** What comes back for these bytes until the server closes the connection. */
function sent(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(running.address.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.write(bytes)
  })
}

const post = (...lines: string[]) => ['POST / HTTP/1.1', 'host: x', ...lines, '', ''].join('\r\n')

test.each([
  ['a body of a length that never comes', `${post('content-length: 10')}{`],
  ['a body in chunks that never ends', `${post('transfer-encoding: chunked')}1\r\n{\r\n`],
  ['a body in chunks that never begins', post('transfer-encoding: chunked')],
  ['headers that never end', 'POST / HTTP/1.1\r\nhost: x\r\n'],
])('%s ends in words, while others are answered', async (_, bytes) => {
  const waiting = sent(bytes)
  const other = await fetch(`http://127.0.0.1:${running.address.port}/`, { method: 'POST' })
  expect(other.status).toBe(200)
  const answer = await waiting
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  const { error } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '')
  expect(error).toEqual({
    code: 'statement_invalid',
    message: 'the request did not come in time; nothing was done',
    help: expect.stringMatching(/\S/),
  })
})

test.each([
  ['headers past the limit', post(`x: ${'a'.repeat(3_000)}`), 431],
  ['two lengths', post('content-length: 1', 'content-length: 2'), 400],
  ['no HTTP', 'hello\r\n\r\n', 400],
])('%s: refused in words', async (_, bytes, status) => {
  const answer = await sent(bytes)
  expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
  expect(answer).toContain('nothing was done')
})
