// The forms as people meet them: a link of `aws s3 presign` opened with curl, and a download whose HEAD
// comes first. AWS CLI and curl as they are installed; skipped where they are not.
import { execFile, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'

const HELD = `
@id("held-objects")
@reason("these objects are shown after a look")
forbid (principal, action in Action::"look", resource)
when { resource.arn like "arn:aws:s3:::held-bucket*" }
unless { context.approvedBy.contains("any:1") };
`

const version = String(spawnSync('aws', ['--version']).stdout ?? '')
const curl = String(spawnSync('curl', ['--version']).stdout ?? '')
const isThere = version.startsWith('aws-cli/') && curl.startsWith('curl ')
if (!isThere) console.warn(`skipped: no AWS CLI or no curl (${version.trim()})`)

let home: string
let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'seconder-forms-'))
  const policies = join(home, 'policies')
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(join(policies, 'held.cedar'), HELD)
  upstream = await startFakeUpstream()
  upstream.script = ({ request }) => ({
    status: 200,
    headers: { 'content-length': '5', etag: '"e"', 'last-modified': new Date(0).toUTCString() },
    body: request.method === 'HEAD' ? '' : 'hello',
  })
  gate = await Harness.start({ upstream: upstream.url, policies })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(home, { recursive: true, force: true })
})

function run(program: string, ...args: string[]): Promise<{ out: string; err: string }> {
  const env = {
    HOME: home,
    PATH: process.env['PATH'],
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
  return new Promise((resolve) => {
    execFile(program, args, { env, cwd: home, timeout: 60_000 }, (_, out, err) =>
      resolve({ out, err }),
    )
  })
}

/** CLI v1 still presigns by Signature Version 2 unless it is told otherwise. */
function presignByVersionFour(): void {
  mkdirSync(join(home, '.aws'))
  writeFileSync(join(home, '.aws', 'config'), '[default]\ns3 =\n  signature_version = s3v4\n')
}

const aws = (...args: string[]) => run('aws', '--endpoint-url', keys.endpoint, ...args)

test.skipIf(!isThere)(
  'H17 a link of `aws s3 presign` opens with curl while its session lives',
  async () => {
    const link = async (...more: string[]) =>
      (await aws('s3', 'presign', 's3://bucket-b/a key', ...more)).out.trim()
    if (version.startsWith('aws-cli/1.')) {
      const old = await run('curl', '-s', await link())
      expect(old.out).toContain('aws configure set default.s3.signature_version s3v4')
    }
    presignByVersionFour()
    const url = await link()
    expect((await run('curl', '-s', url)).out).toBe('hello')
    expect((await run('curl', '-sI', await link('--expires-in', '604800'))).out).toMatch(/ 403 /)
    const held = (await aws('s3', 'presign', 's3://held-bucket/key')).out.trim()
    expect((await run('curl', '-s', held)).out).toContain('a presigned URL is never reviewed')
    expect((await run('curl', '-s', '-X', 'DELETE', url)).out).toContain('<Error>')
    expect((await run('curl', '-s', '-T', join(home, 'policies/held.cedar'), url)).out).toContain(
      '<Error>',
    )
    await closeSession(gate, keys)
    expect((await run('curl', '-s', url)).out).toContain('InvalidAccessKeyId')
    expect(upstream.seen.map(({ request }) => `${request.method} ${request.target}`)).toEqual([
      'GET /bucket-b/a%20key',
    ])
  },
)

test.skipIf(!isThere)(
  'M14 `aws s3 cp` of an object that is held prints why, and works once approved',
  async () => {
    const file = join(home, 'object')
    const copy = () => aws('s3', 'cp', 's3://held-bucket/key', file)
    const first = await copy()
    expect(first.err).toContain('when calling the GetObject operation')
    expect(first.err).toContain('needs review')
    expect(existsSync(file)).toBe(false)
    await gate.review('bob', requestIdIn(new Error(first.err)))
    expect((await copy()).err).toBe('')
    expect(readFileSync(file, 'utf8')).toBe('hello')
    const softened = (await gate.entries()).filter((entry) => entry['softened'] === 'review')
    expect(softened.map(({ operation }) => operation)).toEqual(['s3:HeadObject', 's3:HeadObject'])
  },
)
