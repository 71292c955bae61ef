import { mkdtempSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { openAuthority } from './authority.ts'
import { ConnectDoor, type ConnectOptions, TUNNELS_MAX } from './connect-door.ts'

const HOST = 'sts.eu-west-1.amazonaws.com'
const authority = await openAuthority(
  mkdtempSync(join(tmpdir(), 'seconder-tunnels-')),
  systemClock(),
)
const ends: (() => void)[] = []

afterEach(() => {
  for (const end of ends.splice(0)) end()
})

interface Door {
  readonly door: ConnectDoor
  readonly port: number
}

/** A door whose server answers with the host that it takes each request to be for. */
async function start(
  options: Partial<ConnectOptions> = {},
  serverOptions: http.ServerOptions = {},
): Promise<Door> {
  const door = new ConnectDoor({ authority, idleMs: 60_000, ...options })
  const own = { hosts: ['own'], names: [], named: null, measure: () => 'none' as const }
  const server = http.createServer(serverOptions, (incoming, outgoing) => {
    outgoing.end(door.factsOf(incoming.socket, own).hosts[0])
  })
  door.attach(server)
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  ends.push(() => {
    door.close()
    server.close()
    server.closeAllConnections()
  })
  return { door, port: (server.address() as AddressInfo).port }
}

interface Asked {
  readonly socket: net.Socket
  readonly status: string
  readonly closed: Promise<void>
}

async function ask(port: number, host = HOST): Promise<Asked> {
  const socket = net.connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`)
  const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  return { socket, status: first.toString('latin1').slice(9, 12), closed }
}

/** Waits for the server's side of a connection; two seconds are a failure. */
async function until(holds: () => boolean): Promise<void> {
  const endMs = Date.now() + 2_000
  while (!holds() && Date.now() < endMs) await new Promise((resolve) => setImmediate(resolve))
  expect(holds()).toBe(true)
}

async function shake(socket: net.Socket): Promise<tls.TLSSocket> {
  const inner = tls.connect({ socket, ca: authority.caCertificate, servername: HOST })
  inner.on('error', () => undefined)
  await new Promise((resolve) => inner.once('secureConnect', resolve))
  return inner
}

async function get(inner: tls.TLSSocket): Promise<string> {
  inner.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  const answer = await new Promise<Buffer>((resolve) => inner.once('data', resolve))
  return answer.toString('latin1')
}

test('a request in a tunnel is for the host of its tunnel, any other for the gate', async () => {
  const { port } = await start()
  const { socket } = await ask(port)
  expect(await get(await shake(socket))).toContain(HOST)
  const direct = await fetch(`http://127.0.0.1:${port}/`)
  expect(await direct.text()).toBe('own')
})

test('the tunnel past the limit is refused, and there is room again when one ends', async () => {
  expect(TUNNELS_MAX).toBe(1_000)
  const { door, port } = await start({ tunnelsMax: 2 })
  const first = await ask(port)
  expect(first.status).toBe('200')
  expect((await ask(port)).status).toBe('200')
  expect((await ask(port)).status).toBe('503')
  expect(door.count).toBe(2)
  first.socket.destroy()
  await until(() => door.count === 1)
  expect((await ask(port)).status).toBe('200')
})

test('refused tunnels do not count', async () => {
  const { door, port } = await start({ tunnelsMax: 1 })
  for (let count = 0; count < 3; count++) {
    expect((await ask(port, 'example.com')).status).toBe('403')
  }
  expect(door.count).toBe(0)
  expect((await ask(port)).status).toBe('200')
})

test('a client that never makes its handshake is cut off', async () => {
  const { door, port } = await start({ handshakeMs: 50 })
  const { closed } = await ask(port)
  await closed
  await until(() => door.count === 0)
})

test("the HTTP server's limits hold for what comes through a tunnel", async () => {
  const limits = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 }
  const { door, port } = await start({}, limits)
  await shake((await ask(port)).socket)
  const halfway = await shake((await ask(port)).socket)
  halfway.write('GET / HTTP/1.1\r\nHost:')
  expect(door.count).toBe(2)
  await until(() => door.count === 0)
})

test('a silent tunnel is cut off, and one in use is not', async () => {
  const idleMs = 300
  const { door, port } = await start({ idleMs })
  const silent = await ask(port)
  const startedMs = Date.now()
  await shake(silent.socket)
  const used = await shake((await ask(port)).socket)
  while (Date.now() - startedMs < 3 * idleMs) {
    expect(await get(used)).toContain('200 OK')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await silent.closed
  await until(() => door.count === 1)
  used.destroy()
  await until(() => door.count === 0)
})

test('closing the door ends every tunnel and opens no other', async () => {
  const { door, port } = await start()
  const before = await ask(port)
  const shaken = await ask(port)
  await shake(shaken.socket)
  door.close()
  await Promise.all([before.closed, shaken.closed])
  expect((await ask(port)).status).toBe('503')
})

test('a client of HTTP/1.0, as Python sends CONNECT, gets its tunnel', async () => {
  const { port } = await start()
  const socket = net.connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  socket.write(`CONNECT ${HOST}:443 HTTP/1.0\r\n\r\n`)
  const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /)
})

test('TLS before 1.2 is refused', async () => {
  const { port } = await start()
  const { socket, closed } = await ask(port)
  const old = tls.connect({
    socket,
    ca: authority.caCertificate,
    servername: HOST,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const refused = new Promise((resolve) => old.once('error', resolve))
  expect(String(await refused)).toMatch(/version|protocol/i)
  await closed
})
