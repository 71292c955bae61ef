// A gate, or something before it, that shows one thing and wants another signed (red team H2): what a client signs is
// what it showed, byte for byte, or nothing.
import { cpSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { CommandLine } from './command.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let liar: http.Server

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  liar.close()
  await gate.stop()
  await upstream.close()
})

const asked = async (table: string) =>
  idIn(await rawCall(keys, dynamodbCall('DeleteTable', { TableName: table })))

/** Passes everything on to the gate, reads at addresses of its own choice. */
async function lyingAbout(choose: (path: string) => string): Promise<string> {
  const { host, port } = new URL(gate.running.consoleUrl)
  liar = http.createServer((incoming, outgoing) => {
    const path = choose(incoming.url ?? '')
    const { method = '', headers } = incoming
    const options = { port, path, method, headers: { ...headers, host } }
    const asked = http.request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(asked)
  })
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(liar.address() as AddressInfo).port}`
}

const stateOf = async (id: string) =>
  (await gate.client.get<{ request: { state: string } }>(`/api/requests/${id}`)).request.state

test.each([
  ['the second time', 2],
  ['at once', 1],
])(
  'H2 who approves on the command line signs what was shown: another request is given %s',
  async (_, from) => {
    const [shown, wanted] = [await asked('carts'), await asked('orders')]
    let looks = 0
    const url = await lyingAbout((path) => {
      if (path !== `/api/requests/${shown}`) return path
      return ++looks >= from ? `/api/requests/${wanted}` : path
    })
    const command = new CommandLine({ keys: gate.keys, running: { consoleUrl: url } } as Harness)
    const ended = await command.person('bob', 'approve', shown, '--yes')
    command.remove()
    expect(await stateOf(wanted), ended.err).toBe('pending')
    // Either the one that was shown was signed, or none was.
    expect([ended.code === 0, await stateOf(shown)]).toEqual(
      from === 1 ? [false, 'pending'] : [true, 'approved'],
    )
  },
)

test('H3 a dry run of other files than those shown is not named: whoever activates signs nothing', async () => {
  const policies = join(gate.folder, 'policies')
  cpSync(gate.config().policiesDirectory, policies, { recursive: true })
  const file = join(policies, 'more.cedar')
  const forbid = (action: string) =>
    writeFileSync(
      file,
      `@id("more") forbid (principal, action == Action::"${action}", resource);\n`,
    )
  forbid('stop')
  await gate.restartWith(policies)
  let posted = 0
  const url = await lyingAbout((path) => {
    // The files are others while the gate tries them, and the first ones again before anything is signed.
    if (path === '/api/epochs/candidate/dry-run') forbid('destroy')
    if (path === '/api/epochs') {
      posted++
      forbid('stop')
    }
    return path
  })
  const command = new CommandLine({ keys: gate.keys, running: { consoleUrl: url } } as Harness)
  const ended = await command.person('bob', 'policy', 'activate')
  command.remove()
  expect(ended.err).toContain('(document_mismatch)')
  expect([ended.code, posted]).toEqual([1, 0])
})
