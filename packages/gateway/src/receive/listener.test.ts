// The listener's limits, at and past each: with small ones, so that nothing here waits long.
import type http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Answer, createDoorServer, DOOR_LIMITS, type DoorLimits } from './listener.ts'

const servers: http.Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const SLOW_MS = 600_000
const ok: Answer = (incoming, outgoing) => {
  incoming.resume()
  incoming.once('end', () => outgoing.end(`headers ${incoming.rawHeaders.length / 2}`))
}

async function listening(limits: Partial<DoorLimits>, answer: Answer = ok): Promise<number> {
  const server = createDoorServer(answer, { ...DOOR_LIMITS, lookMs: 20, ...limits })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

interface Line {
  readonly socket: net.Socket
  /** Everything that came, when the far end has closed. */
  readonly all: Promise<string>
  /** Resolves when this text has come. */
  saw(text: string): Promise<void>
}

function connect(port: number): Promise<Line> {
  return new Promise((resolve) => {
    let came = ''
    const waiting = new Set<() => void>()
    const socket = net.connect(port, '127.0.0.1', () => {
      resolve({
        socket,
        all: new Promise((done) => socket.once('close', () => done(came))),
        saw: (text) =>
          new Promise((done) => {
            const look = () => (came.includes(text) ? done() : waiting.add(look))
            look()
          }),
      })
    })
    socket.on('data', (chunk: Buffer) => {
      came += chunk.toString('latin1')
      for (const look of waiting) look()
    })
    socket.on('error', () => undefined)
  })
}

async function answerTo(port: number, text: string): Promise<string> {
  const line = await connect(port)
  line.socket.write(text)
  return line.all
}

const head = (extra = '') => `GET / HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n${extra}\r\n`

test('headers at the limit are read, all of them, and past it they are refused in words', async () => {
  const headerBytesMax = 8_192
  const port = await listening({ headerBytesMax })
  // Node keeps 2,000 headers by default and leaves the others out without a word.
  expect(await answerTo(port, head('a:\r\n'.repeat(2_100)))).toContain('headers 2102')
  expect(await answerTo(port, head(`a: ${'x'.repeat(8_000)}\r\n`))).toContain('headers 3')
  const past = await answerTo(port, head(`a: ${'x'.repeat(8_192)}\r\n`))
  expect(past).toMatch(/^HTTP\/1\.1 431 /)
  expect(past).toContain('over the limit of the gate; nothing was done')
})

test('a client that is slow with its headers, or with its body, is let go of', async () => {
  const headers = await listening({ headersMs: 100, requestMs: SLOW_MS })
  const first = await answerTo(headers, 'GET / HTTP/1.1\r\nhost:')
  expect(first).toMatch(/^HTTP\/1\.1 408 [\s\S]*did not come in time/)
  const body = await listening({ headersMs: 100, requestMs: 100 })
  const second = await answerTo(body, 'PUT / HTTP/1.1\r\nhost: gate\r\ncontent-length: 5\r\n\r\nab')
  // Its answer had not begun: nobody is told that it was done.
  expect(second).not.toContain('200')
})

test('what is no request is refused in words, and what is being answered is not talked into', async () => {
  const port = await listening({})
  for (const text of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: a\r\nx: b\r\n c\r\n\r\n',
    'GET / HTTP/1.1\r\nhost : a\r\n\r\n',
  ]) {
    const answer = await answerTo(port, text)
    expect(answer, JSON.stringify(text)).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('no HTTP/1.1 request, or one that two readers could read in two ways')
  }
  const begun = await listening({}, (_, outgoing) => {
    outgoing.write('half')
  })
  const line = await connect(begun)
  line.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await line.saw('half')
  line.socket.write('garbage\r\n\r\n')
  expect(await line.all).not.toContain('no HTTP/1.1 request')
})

test('one connection more than there may be is closed at once, and a freed place is taken again', async () => {
  const port = await listening({ connectionsMax: 2 })
  const lines = await Promise.all([connect(port), connect(port)])
  for (const { socket, saw } of lines) {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await saw('headers 1')
  }
  expect(await answerTo(port, head())).toBe('')
  lines[0]?.socket.destroy()
  await lines[0]?.all
  for (;;) {
    const answer = await answerTo(port, head())
    if (answer === '') continue
    expect(answer).toContain('headers 2')
    break
  }
})

test('as many requests as the limit may wait on one connection; one more ends it', async () => {
  const waiting: http.ServerResponse[] = []
  let came: () => void = () => undefined
  const port = await listening({ pipelinedMax: 3 }, (_, outgoing) => {
    waiting.push(outgoing)
    came()
  })
  const three = await connect(port)
  const all = new Promise<void>((resolve) => {
    came = () => waiting.length === 3 && resolve()
  })
  three.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(3))
  await all
  for (const [index, outgoing] of waiting.splice(0).entries()) outgoing.end(`answer ${index}`)
  await three.saw('answer 2')
  three.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(4))
  expect(await three.all).not.toContain('answer 3')
})

test('a client that takes nothing of its answer is let go of; one that waits for the answer is not', async () => {
  let gone: () => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    gone = resolve
  })
  const port = await listening({ answerIdleMs: 100 }, (_, outgoing) => {
    outgoing.once('close', gone)
    outgoing.write(Buffer.alloc(64 * 1024 * 1024))
  })
  const line = await connect(port)
  line.socket.pause()
  line.socket.write(head())
  await closed
  line.socket.destroy()

  let finish: () => void = () => undefined
  const quiet = await listening({ answerIdleMs: 20 }, (_, outgoing) => {
    outgoing.write('first ')
    finish = () => outgoing.end('last')
  })
  const waiting = await connect(quiet)
  const timedOut = new Promise((resolve) => waiting.socket.setTimeout(200, () => resolve(true)))
  waiting.socket.write(head())
  await waiting.saw('first')
  // Quiet for longer than the limit, as the client's own clock says.
  await timedOut
  finish()
  expect(await waiting.all).toContain('last')
})

test('an Expect that is not 100-continue is refused, and one that is comes with its name', async () => {
  const seen: boolean[] = []
  const port = await listening({}, (_, outgoing, isAwaited) => {
    seen.push(isAwaited)
    outgoing.end()
  })
  await answerTo(port, head('expect: 100-continue\r\n'))
  await answerTo(port, head())
  expect(seen).toEqual([true, false])
  expect(await answerTo(port, head('expect: 200-maybe\r\n'))).toMatch(/^HTTP\/1\.1 417 /)
})
