// C2 on the whole path: a gate does not start while any user of the host could read or change what it stands
// on, opens no session for a user that could, and measures an agent on such a user as its own.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { somebody } from '@seconder/gateway/wall/reach'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'
import { dynamodbCall, signed } from './wire.ts'

const NOBODY = 65_534
const canTry =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', ''], { uid: NOBODY, cwd: '/' }).status === 0

let upstream: FakeUpstream
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
})

afterEach(async () => {
  rmSync(gate.folder, { recursive: true, force: true })
  await upstream.close()
})

test.skipIf(onPostgres())('C2 the gate makes its state for itself alone', async () => {
  await gate.running.close()
  expect(statSync(gate.config().statePath).mode & 0o077).toBe(0)
  expect(statSync(join(gate.folder, 'state', 'ledger.key')).mode & 0o077).toBe(0)
})

test.each(['state.db', 'ledger.key'])(
  'C2 a gate whose %s any user could read does not start, and starts again when it is shut',
  async (name) => {
    await gate.running.close()
    chmodSync(gate.folder, 0o755)
    chmodSync(join(gate.folder, 'state'), 0o755)
    chmodSync(join(gate.folder, 'state', name), 0o644)
    await expect(gate.restart()).rejects.toMatchObject({
      code: 'wall_open',
      message: expect.stringContaining(join(gate.folder, 'state', name)),
      help: expect.stringContaining('chmod'),
    })
    chmodSync(join(gate.folder, 'state', name), 0o600)
    await gate.restart()
    await gate.stop()
  },
)

test('C2 a gate whose policies any user could change does not start', async () => {
  await gate.running.close()
  const policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  chmodSync(policies, 0o755)
  const file = join(policies, 'mine.cedar')
  writeFileSync(file, '')
  chmodSync(file, 0o666)
  await expect(gate.restart({ policiesDirectory: policies })).rejects.toMatchObject({
    code: 'wall_open',
    message: expect.stringMatching(/could change the policies/),
  })
  rmSync(policies, { recursive: true })
})

test('C2 a gate whose own credentials any user could read does not start', async () => {
  await gate.running.close()
  const folder = mkdtempSync(join(tmpdir(), 'seconder-aws-'))
  chmodSync(folder, 0o755)
  const credentialsFile = join(folder, 'credentials')
  writeFileSync(credentialsFile, '[gate]\naws_access_key_id = A\naws_secret_access_key = B\n')
  chmodSync(credentialsFile, 0o644)
  const credentials = {
    from: 'profile',
    name: 'gate',
    credentialsFile,
    configFile: join(folder, 'config'),
  } as const
  const { upstream } = gate.config()
  await expect(gate.restart({ upstream: { ...upstream, credentials } })).rejects.toMatchObject({
    code: 'wall_open',
    message: expect.stringMatching(/could read the gate's own credentials/),
  })
  rmSync(folder, { recursive: true })
})

/** Runs a fetch as another user of this host, and gives what was answered. */
function fetchAs(uid: number, url: string, init: object): Promise<string> {
  const script =
    'fetch(process.argv[1], JSON.parse(process.argv[2])).then((a) => a.text()).then(console.log)'
  const child = spawn(process.execPath, ['-e', script, url, JSON.stringify(init)], {
    ...{ uid, gid: uid, cwd: '/' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.once('close', () => resolve(text))
  })
}

/** Lets a group that the other user is in read the key of the ledger, and others nothing. */
function openToGroupOf(uid: number): void {
  const [group = uid] = somebody(uid).groups ?? []
  const key = join(gate.folder, 'state', 'ledger.key')
  chmodSync(gate.folder, 0o711)
  chmodSync(join(gate.folder, 'state'), 0o711)
  chmodSync(key, 0o640)
  spawnSync('chgrp', [String(group), key])
}

test.skipIf(!canTry)(
  'C2 no session is opened for a user that could read a key (needs root)',
  async () => {
    const { gate: gateId } = await gate.client.facts()
    const statement = {
      type: 'seconder-session@v1',
      gate: gateId,
      operator: 'alice',
      agent: 'a',
      role: 'deploy',
      sessionPublicKey: Buffer.alloc(32, 9).toString('base64'),
      signedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      nonce: 'n'.repeat(24),
    }
    const act = await gate.act('alice', statement, 'seconder-session@v1')
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(act),
    }
    const url = `${gate.running.consoleUrl}/api/sessions`
    openToGroupOf(NOBODY)
    expect(await fetchAs(NOBODY, url, init)).toMatch(/"code":"wall_open".*user 65534 could read/)
    chmodSync(join(gate.folder, 'state', 'ledger.key'), 0o600)
    expect(await fetchAs(NOBODY, url, init)).toMatch(/"sessionId"/)
    await gate.stop()
  },
)

test.skipIf(!canTry)(
  'C2 an agent on a user that could read a key is isolated by nothing (needs root)',
  async () => {
    const keys = await gate.open('alice')
    openToGroupOf(NOBODY)
    const request = signed(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
    const headers = Object.fromEntries(
      request.headers.filter(([name]) => name !== 'content-length'),
    )
    const body = Buffer.from(request.body).toString()
    await fetchAs(NOBODY, `${keys.endpoint}/`, { method: 'POST', headers, body })
    const { requests } = await gate.client.get<{ requests: { requestId: string }[] }>(
      '/api/requests',
    )
    const path = `/api/requests/${requests[0]?.requestId}`
    const { document } = await gate.client.get<{ document: string }>(path)
    expect(JSON.parse(document).context.isolation).toBe('none')
    await gate.stop()
  },
)
