// C2, proved by the command itself: `seconder doctor` against a running gate, and `doctor --session` from
// where an agent stands. Each thing that it finds open has its shut twin; nothing leaves loopback.
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '@seconder/cli/diagnosis/finding'
import { readAsSession } from '@seconder/cli/reading'
import { trustFaults } from '@seconder/gateway/execute/own-look'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { afterAll, beforeAll, expect, describe as group, test } from 'vitest'
import { COMPILED } from '../compiled.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const NOBODY = 65_534
const canTry =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, [MAIN, '--version'], { uid: NOBODY, cwd: '/' }).status === 0

interface Ran {
  readonly code: number
  readonly out: string
  readonly findings: readonly Finding[]
  readonly protect: readonly { arn: string; what: string }[]
}

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let home: string
/** Where nobody answers: bound once, then let go. */
let nowhere: string

beforeAll(async () => {
  upstream = await startFakeUpstream()
  // This upstream never answers what the gate asks of its own credentials.
  gate = await Harness.start({ upstream: upstream.url, timeoutMs: 3_000 })
  keys = await gate.open('alice')
  home = mkdtempSync(join(tmpdir(), 'seconder-home-'))
  chmodSync(home, 0o755)
  const { url, close } = await answering()
  await close()
  nowhere = url
})

afterAll(async () => {
  rmSync(home, { recursive: true, force: true })
  await gate.stop()
  await upstream.close()
})

async function answering(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = http.createServer((_, outgoing) => outgoing.writeHead(401).end())
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { url: `http://127.0.0.1:${port}/`, close }
}

function doctor(
  args: readonly string[],
  env: Record<string, string> = {},
  uid?: number,
): Promise<Ran> {
  const argv = [MAIN, 'doctor', '--json', '--gate', gate.running.consoleUrl, ...args]
  const options = {
    env: { HOME: home, PATH: '/nowhere', ...COMPILED, ...env },
    cwd: '/',
    ...(uid !== undefined && { uid, gid: uid }),
  }
  return new Promise((resolve) => {
    execFile(process.execPath, argv, options, (error, out, err) => {
      const { findings, protect } = JSON.parse(out || JSON.stringify({ findings: [err] }))
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, findings, protect })
    })
  })
}

const session = (metadata = nowhere) => ['--session', '--metadata', metadata]
const env = (of = keys) => ({
  AWS_ENDPOINT_URL: of.endpoint,
  AWS_ACCESS_KEY_ID: of.accessKeyId,
  AWS_SECRET_ACCESS_KEY: of.secretAccessKey,
})
const brokenOf = ({ findings }: Ran) =>
  findings.filter(({ state }) => state === 'broken').map(({ found }) => found)

test('doctor says how the gate stands and what is protected, and exits 0 with warnings', async () => {
  const ran = await doctor(['--ssh-key', gate.keys.get('carol') ?? ''])
  expect(brokenOf(ran)).toEqual([])
  expect(ran.findings).toContainEqual(expect.objectContaining({ state: 'ok', what: 'ready' }))
  expect(ran.code).toBe(0)
  expect(ran.protect).toContainEqual({
    arn: `arn:aws:iam::${ACCOUNT}:role/agent-deploy`,
    what: 'the role deploy',
  })
  expect(ran.findings).toContainEqual(
    expect.objectContaining({ state: 'warning', found: 'an emulator stands for AWS' }),
  )
})

test('what the gate stands on is told to members, and to a session only what it must not reach', async () => {
  const stranger = mkdtempSync(join(tmpdir(), 'seconder-nobody-'))
  const unsigned = await doctor([], { HOME: stranger })
  rmSync(stranger, { recursive: true, force: true })
  expect(unsigned.code).toBe(0)
  expect(unsigned.protect).toEqual([])
  expect(unsigned.findings).toContainEqual({
    state: 'unknown',
    what: 'standing',
    found: 'reading needs somebody whom this gate knows',
    next: expect.stringContaining('--ssh-key'),
  })
  const url = `${gate.running.consoleUrl}/api/standing`
  expect((await fetch(url)).status).toBe(401)
  const seen = await readAsSession(gate.running.consoleUrl, keys, '/api/standing')
  expect(Object.keys(seen as object).sort()).toEqual(['places', 'user'])
  const wrong = { ...keys, secretAccessKey: 'x' }
  await expect(
    readAsSession(gate.running.consoleUrl, wrong, '/api/standing'),
  ).rejects.toMatchObject({ code: 'sign_in_needed' })
})

test('every finding that is not well says what to do next', async () => {
  const { findings } = await doctor(session())
  for (const one of findings) expect(one.next === null).toBe(one.state === 'ok')
})

test("C2 a session on the gate's own user is broken, and so is every secret that it can read", async () => {
  const ran = await doctor(session(), env())
  expect(ran.code).toBe(1)
  const said = brokenOf(ran).join('\n')
  expect(said).toMatch(/runs as (root|the gate's own user)/)
  expect(said).toMatch(/can read the state/)
  expect(said).toMatch(/can read the ledger's key/)
  expect(said).toMatch(/can read the gate's process/)
})

test.skipIf(!canTry)(
  'C2 a session on a user of its own, with nothing in reach, stands (needs root)',
  async () => {
    // Keys work for the user who used them first.
    const own = await gate.open('alice')
    const ran = await doctor(session(), env(own), NOBODY)
    expect(brokenOf(ran)).toEqual([])
    expect(ran.code).toBe(0)
  },
)

group('C2 what an agent has in reach', () => {
  const after = async (changes: Record<string, string>, metadata?: string) =>
    brokenOf(await doctor(session(metadata), { ...env(), ...changes })).join('\n')
  const plain = async () => after({})

  test.each([
    [{ AWS_PROFILE: 'prod' }, /AWS_PROFILE leads to other credentials/],
    [{ AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }, /AWS_WEB_IDENTITY_TOKEN_FILE leads/],
    [
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://x' },
      /AWS_CONTAINER_CREDENTIALS_FULL_URI leads/,
    ],
    [{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }, /is none of the gate's/],
    [{ AWS_ENDPOINT_URL: 'https://sts.amazonaws.com' }, /neither AWS_ENDPOINT_URL nor HTTPS_PROXY/],
    [{ AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com' }, /AWS_ENDPOINT_URL_S3 leads past/],
    [{ AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, /leads past the gate/],
  ] as const)('%j', async (changes, words) => {
    expect(await after(changes)).toMatch(words)
    expect(await plain()).not.toMatch(words)
  })

  test('credentials in files, and none in a file with the keys of the session', async () => {
    const folder = join(home, '.aws')
    mkdirSync(join(folder, 'sso', 'cache'), { recursive: true })
    writeFileSync(join(folder, 'config'), `[default]\naws_access_key_id = ${keys.accessKeyId}\n`)
    expect(await plain()).not.toMatch(/other credentials/)
    writeFileSync(join(folder, 'credentials'), '[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n')
    writeFileSync(join(folder, 'sso', 'cache', 'a.json'), '{}')
    const said = await plain()
    expect(said).toContain(`other credentials: ${join(folder, 'credentials')}`)
    expect(said).toContain(`other credentials: ${join(folder, 'sso', 'cache', 'a.json')}`)
    rmSync(folder, { recursive: true })
  })

  test('a metadata service that answers, with a refusal too', async () => {
    const { url, close } = await answering()
    expect(await after({}, url)).toMatch(/metadata service answers here/)
    await close()
    expect(await plain()).not.toMatch(/metadata service answers/)
  })

  test('an ssh-agent is a warning: it signs without anybody there', async () => {
    const { findings } = await doctor(session(), { ...env(), SSH_AUTH_SOCK: '/tmp/agent' })
    expect(findings).toContainEqual(expect.objectContaining({ state: 'warning', what: 'signing' }))
  })
})

group('clients', () => {
  test.each([
    ['aws-cli/2.9.19 Python/3.11', 'warning'],
    ['aws-cli/2.13.0 Python/3.11', 'ok'],
    ['aws-cli/1.27.0 Python/3.11', 'warning'],
    ['aws-cli/1.29.0 Python/3.11', 'ok'],
  ])('%s is %s', async (version, state) => {
    const folder = mkdtempSync(join(tmpdir(), 'seconder-path-'))
    writeFileSync(join(folder, 'aws'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
    const { findings } = await doctor([], { PATH: folder })
    const client = findings.find(({ what }) => what === 'client')
    expect(client?.state).toBe(state)
    if (state === 'warning') expect(client?.next).toContain('--connect')
    rmSync(folder, { recursive: true })
  })
})

group('what AWS says', () => {
  const GATE = 'arn:aws:sts::111122223333:assumed-role/seconder-gate/i-1'
  const ROLE = 'arn:aws:iam::111122223333:role/ops/seconder-gate'
  const trust = (...statements: object[]) => trustFaults({ Statement: statements }, GATE)
  const allow = (AWS: unknown, ...Action: string[]) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action,
  })
  const ALL = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']

  test('C2 a trust of the gate alone, with all three rights, has no fault', () => {
    expect(trust(allow(ROLE, ...ALL))).toEqual([])
    expect(
      trust(allow(ROLE, 'sts:AssumeRole'), allow(ROLE, 'sts:TagSession', 'sts:SetSourceIdentity')),
    ).toEqual([])
    expect(trust(allow(ROLE, ...ALL), { ...allow('*', ...ALL), Effect: 'Deny' })).toEqual([])
  })

  test('C2 whoever else is trusted, and each right that lacks, is named', () => {
    expect(trust(allow([ROLE, 'arn:aws:iam::1:user/ana'], ...ALL))).toEqual([
      'it trusts arn:aws:iam::1:user/ana too',
    ])
    expect(trust(allow(ROLE, 'sts:AssumeRole'))).toEqual([
      'it lacks sts:TagSession',
      'it lacks sts:SetSourceIdentity',
    ])
    expect(trust(allow(ROLE, ...ALL), { Effect: 'Allow', Principal: '*', Action: ALL })).toEqual([
      'it trusts everybody too',
    ])
    expect(trust(allow(ROLE.replace('111122223333', '999999999999'), ...ALL))[0]).toMatch(/too$/)
    expect(
      trust(allow(ROLE, ...ALL), { Effect: 'Allow', NotPrincipal: { AWS: ROLE }, Action: ALL }),
    ).toEqual(['it trusts everybody that a statement does not name'])
  })

  test('what the gate may not look at is unseen, never well', async () => {
    const cloud: Cloud = await startCloud({ stepMs: 1 })
    const lending = await Harness.start({
      upstream: cloud.endpoint,
      credentials: cloud.credentials.gate,
      lentRole: 'arn:aws-cn:iam::123456789012:role/agent-deploy',
    })
    const { aws, own } = await lending.client.get<{ aws: Record<string, unknown>; own: string }>(
      '/api/standing',
    )
    expect(own).toContain(':assumed-role/seconder-gate/')
    expect(aws['roles']).toEqual([
      expect.objectContaining({
        name: 'deploy',
        trust: expect.objectContaining({ looked: false }),
      }),
    ])
    expect(aws['scps']).toMatchObject({ looked: false })
    await lending.stop()
    await cloud.close()
  })
})
