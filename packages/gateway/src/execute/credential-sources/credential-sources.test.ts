// Where the gate's own identity comes from: each source against a real file or a fake that speaks the
// real protocol, and each with what it must refuse.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Secret } from '../../lib/secret.ts'
import { createExchange } from '../exchange.ts'
import { OWN_KEY, type ScriptedAws, startScriptedAws } from '../scripted-aws.fixture.ts'
import { EXPIRY_MARGIN_MS, kept, type Lent, REFRESH_AHEAD_MS } from './credential-source.ts'
import { ownCredentials } from './own-credentials.ts'
import { PROFILE_CHAIN_MAX } from './profile.ts'
import { TOKEN_CHARS_MAX } from './web-identity.ts'

const ROLE = 'arn:aws:iam::123456789012:role/seconder-gate'
let nowMs: number
let folder: string
let aws: ScriptedAws

beforeEach(async () => {
  nowMs = Date.parse('2026-03-01T10:00:00Z')
  folder = mkdtempSync(join(tmpdir(), 'seconder-own-'))
  aws = await startScriptedAws(() => nowMs)
})

afterEach(async () => {
  rmSync(folder, { recursive: true })
  await aws.close()
})

function sts() {
  const exchange = createExchange({ endpoint: aws.url, timeoutMs: 2_000 })
  return { exchange, clock: { nowMs: () => nowMs }, region: 'us-east-1' }
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function profile(name: string, credentials: string, config: string) {
  const origin = {
    from: 'profile',
    name,
    credentialsFile: file('credentials', credentials),
    configFile: file('config', config),
  } as const
  return ownCredentials(origin, sts())
}

const KEYS = `aws_access_key_id = ${OWN_KEY.accessKeyId}
aws_secret_access_key = ${OWN_KEY.secretAccessKey}
`

test('a profile of the credentials file gives its keys', async () => {
  const given = await profile('work', `# mine\n[other]\nx=1\n[work]\n${KEYS}`, '').current()
  expect(given.accessKeyId).toBe(OWN_KEY.accessKeyId)
  expect(given.secretAccessKey.reveal()).toBe(OWN_KEY.secretAccessKey)
  expect(given.sessionToken).toBeNull()
})

test('a profile of the config file is named with the word profile, default is not', async () => {
  const nested = 's3 =\n  aws_access_key_id = no\n'
  const config = `[profile work]\n${nested}${KEYS}aws_session_token = t ; a comment\n`
  const given = await profile('work', '', config).current()
  expect(given.sessionToken?.reveal()).toBe('t')
  await expect(profile('work', '', `[work]\n${KEYS}`).current()).rejects.toThrow(/no profile/)
  const standard = await profile('default', '', `[default]\n${KEYS}`).current()
  expect(standard.accessKeyId).toBe(OWN_KEY.accessKeyId)
})

test('role_arn with source_profile assumes the role with the keys of that profile', async () => {
  const config = `[profile gate]\nrole_arn = ${ROLE}\nsource_profile = base\nexternal_id = e1\n`
  const given = await profile('gate', `[base]\n${KEYS}`, config).current()
  const [lent] = aws.lendings
  expect(given.accessKeyId).toBe(lent?.accessKeyId)
  expect(lent?.signedBy).toBe(OWN_KEY.accessKeyId)
  expect(lent?.form.get('RoleArn')).toBe(ROLE)
  expect(lent?.form.get('ExternalId')).toBe('e1')
})

test.each([
  ['credential_process', 'credential_process = cat /secret'],
  ['sso_session', 'sso_session = corp'],
  ['mfa_serial', `role_arn = ${ROLE}\nsource_profile = base\nmfa_serial = arn:x`],
  ['credential_source', `role_arn = ${ROLE}\ncredential_source = Environment`],
])('a profile with %s is refused by that name, and nothing runs', async (name, lines) => {
  const refused = profile('gate', `[base]\n${KEYS}`, `[profile gate]\n${lines}\n`).current()
  await expect(refused).rejects.toMatchObject({ code: 'credentials_unavailable' })
  await expect(refused).rejects.toThrow(`\`${name}\``)
  await expect(refused).rejects.not.toThrow('/secret')
  expect(aws.lendings).toHaveLength(0)
})

test('a chain of profiles ends: at its limit it lends, one longer or round it is refused', async () => {
  const chain = (length: number) =>
    `${Array.from(
      { length },
      (_, at) => `[profile p${at}]\nrole_arn = ${ROLE}\nsource_profile = p${at + 1}\n`,
    ).join('')}[profile p${length}]\n${KEYS}`
  const longest = PROFILE_CHAIN_MAX - 1
  expect((await profile('p0', '', chain(longest)).current()).accessKeyId).toMatch(/^ASIA/)
  await expect(profile('p0', '', chain(longest + 1)).current()).rejects.toThrow(/round or too far/)
  const round = `[profile a]\nrole_arn = ${ROLE}\nsource_profile = b\n[profile b]\nrole_arn = ${ROLE}\nsource_profile = a\n`
  await expect(profile('a', '', round).current()).rejects.toThrow(/round or too far/)
})

test('a web identity token is read anew each time and sent unsigned', async () => {
  const tokenFile = file('token', 'eyJ.one\n')
  const origin = { from: 'web-identity', tokenFile, roleArn: ROLE, sessionName: null } as const
  const source = ownCredentials(origin, sts())
  const given = await source.current()
  expect(given.accessKeyId).toBe(aws.lendings[0]?.accessKeyId)
  expect(aws.lendings[0]?.form.get('WebIdentityToken')).toBe('eyJ.one')
  expect(aws.lendings[0]?.signedBy).toBeNull()
  writeFileSync(tokenFile, 'eyJ.two')
  nowMs += aws.lifeSeconds * 1000
  await source.current()
  expect(aws.lendings[1]?.form.get('WebIdentityToken')).toBe('eyJ.two')
})

test('a token at its longest is sent, one character more is refused', async () => {
  const token = (length: number) => {
    const tokenFile = file(`token-${length}`, 't'.repeat(length))
    const origin = { from: 'web-identity', tokenFile, roleArn: ROLE, sessionName: null } as const
    return ownCredentials(origin, sts()).current()
  }
  expect((await token(TOKEN_CHARS_MAX)).accessKeyId).toMatch(/^ASIA/)
  await expect(token(TOKEN_CHARS_MAX + 1)).rejects.toThrow(/holds no token/)
})

test('a refused web identity shows the code of STS and neither its text nor the token', async () => {
  aws.refusal = { code: 'InvalidIdentityToken', message: 'bad token eyJ.secret' }
  const tokenFile = file('token', 'eyJ.secret')
  const origin = { from: 'web-identity', tokenFile, roleArn: ROLE, sessionName: null } as const
  const failed = await ownCredentials(origin, sts())
    .current()
    .catch((cause) => cause)
  expect(failed).toMatchObject({ code: 'credentials_unavailable' })
  expect(failed.message).toContain('InvalidIdentityToken')
  expect(`${failed.message} ${failed.stack} ${failed.cause}`).not.toContain('eyJ.secret')
})

/** The metadata service: version 2 alone, as EC2 with HttpTokens=required. */
async function metadata(answer: { role?: string; credentials?: string; tokens?: boolean } = {}) {
  const seen: string[] = []
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const asked = request.headers['x-aws-ec2-metadata-token']
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      const lives = request.headers['x-aws-ec2-metadata-token-ttl-seconds']
      response.writeHead(answer.tokens === false ? 404 : lives ? 200 : 400).end('the-token')
    } else if (asked !== 'the-token') response.writeHead(401).end()
    else if (request.url === '/latest/meta-data/iam/security-credentials/') {
      response.end(answer.role ?? 'gate-role')
    } else response.end(answer.credentials ?? instanceCredentials())
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const current = () => ownCredentials({ from: 'instance' }, sts(), url).current()
  return { seen, current, close: () => server.close() }
}

function instanceCredentials(code = 'Success'): string {
  return JSON.stringify({
    Code: code,
    Type: 'AWS-HMAC',
    AccessKeyId: 'ASIAINSTANCEINSTANCE',
    SecretAccessKey: 'instance/secret',
    Token: 'instance/token',
    Expiration: new Date(nowMs + 3_600_000).toISOString(),
  })
}

test('the instance role is asked for with a token first', async () => {
  const service = await metadata()
  const given = await service.current()
  expect(given.accessKeyId).toBe('ASIAINSTANCEINSTANCE')
  expect(given.sessionToken?.reveal()).toBe('instance/token')
  expect(service.seen).toEqual([
    'PUT /latest/api/token',
    'GET /latest/meta-data/iam/security-credentials/',
    'GET /latest/meta-data/iam/security-credentials/gate-role',
  ])
  service.close()
})

test.each([
  ['has no tokens (version 1)', () => ({ tokens: false })],
  ['names no role', () => ({ role: '' })],
  ['names a path for a role', () => ({ role: '../../x' })],
  ['answers no JSON', () => ({ credentials: 'SecretAccessKey: instance/secret' })],
  ['answers that it failed', () => ({ credentials: instanceCredentials('Failed') })],
  ['answers too much', () => ({ credentials: 'x'.repeat(16 * 1024 + 1) })],
])('a metadata service that %s is a refusal without a fallback', async (_, answer) => {
  const service = await metadata(answer())
  const failed = await service.current().catch((cause) => cause)
  expect(failed).toMatchObject({ code: 'credentials_unavailable' })
  expect(`${failed.message} ${failed.stack}`).not.toContain('instance/secret')
  service.close()
})

function lent(name: string, lifeMs: number | null): Lent {
  const credentials = { accessKeyId: name, secretAccessKey: new Secret('s'), sessionToken: null }
  return { credentials, expiresAtMs: lifeMs === null ? null : nowMs + lifeMs }
}

test('a source is loaded once for all who wait, ahead of its end, and its old keys bridge a failure', async () => {
  let loads = 0
  let fails = false
  const load = async () => {
    loads += 1
    if (fails) throw new Error('not now')
    return lent(`key-${loads}`, 3_600_000)
  }
  const source = kept(load, { nowMs: () => nowMs })
  const all = await Promise.all([source.current(), source.current(), source.current()])
  expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['key-1']))
  nowMs += 3_600_000 - REFRESH_AHEAD_MS - 1
  expect((await source.current()).accessKeyId).toBe('key-1')
  fails = true
  nowMs += 1
  expect((await source.current()).accessKeyId).toBe('key-1')
  expect(loads).toBe(2)
  nowMs += REFRESH_AHEAD_MS - EXPIRY_MARGIN_MS - 1
  expect((await source.current()).accessKeyId).toBe('key-1')
  nowMs += 1
  await expect(source.current()).rejects.toThrow('not now')
  fails = false
  expect((await source.current()).accessKeyId).toMatch(/^key-/)
})

test('keys that have ended when they come are never given', async () => {
  const source = kept(async () => lent('old', EXPIRY_MARGIN_MS), { nowMs: () => nowMs })
  await expect(source.current()).rejects.toMatchObject({ code: 'credentials_unavailable' })
  const fresh = kept(async () => lent('new', EXPIRY_MARGIN_MS + 1), { nowMs: () => nowMs })
  expect((await fresh.current()).accessKeyId).toBe('new')
})

test('keys of a file are read again, so that taking them away takes them away', async () => {
  const source = profile('work', `[work]\n${KEYS}`, '')
  await source.current()
  file('credentials', '')
  nowMs += 60_000
  await expect(source.current()).rejects.toThrow(/no profile/)
})
