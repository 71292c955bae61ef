// From an export of IAM to a refusal: the command writes what each role reaches, the gate loads that very
// file, and new code for a function of development is asked about where its role reaches production (red
// team H8).
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@seconder/gateway/config'
import { readRoleReach } from '@seconder/gateway/epoch/role-reach'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness } from './harness.ts'
import { rawCall } from './wire.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const PRODUCTION = '999988887777'
const DEV = `arn:aws:iam::${ACCOUNT}:role/dev-worker`
const WIDE = `arn:aws:iam::${ACCOUNT}:role/wide-worker`
const FAR = `arn:aws:iam::${PRODUCTION}:role/deploy`
const CODE = 'PUT /2015-03-31/functions/resize/code'

const folder = mkdtempSync(join(tmpdir(), 'seconder-roles-'))
const file = (name: string) => join(folder, name)
let upstream: FakeUpstream
let gate: Harness | undefined

const role = (arn: string, trusted: object, actions: string, resource = '*') => ({
  RoleName: arn.split('/').at(-1),
  Arn: arn,
  AssumeRolePolicyDocument: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: trusted, Action: 'sts:AssumeRole' }],
  },
  RolePolicyList: [
    {
      PolicyName: 'own',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: actions, Resource: resource }],
      },
    },
  ],
  AttachedManagedPolicies: [],
  InstanceProfileList: [],
})
const lambda = { Service: 'lambda.amazonaws.com' }
const EXPORT = {
  UserDetailList: [],
  GroupDetailList: [],
  RoleDetailList: [
    role(DEV, lambda, 'dynamodb:PutItem'),
    role(WIDE, lambda, 'sts:AssumeRole', FAR),
    role(FAR, { AWS: WIDE }, 'rds:*'),
  ],
  Policies: [],
}
const CONFIG = `
upstream: { aws: { endpoint: "http://127.0.0.1:1" } }
environments:
  - { name: production, accounts: ["${PRODUCTION}"] }
  - { name: development, accounts: ["${ACCOUNT}"] }
roleReach: reach.json
roles: {}
`

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

function audit(...more: string[]): Promise<Ended> {
  const argv = [MAIN, 'roles', 'audit', ...more]
  return new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, argv, options, (failed, out, error) => {
      resolve({ code: failed === null ? 0 : Number(failed.code), out, error })
    })
  })
}

beforeAll(() => {
  writeFileSync(file('authz.json'), JSON.stringify(EXPORT))
  writeFileSync(file('cut.json'), JSON.stringify(EXPORT).slice(0, -300))
  writeFileSync(file('seconder.yaml'), CONFIG)
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(async () => {
  upstream = await startFakeUpstream()
})
afterEach(async () => {
  await gate?.checkLedger()
  await gate?.stop()
  gate = undefined
  await upstream.close()
})

/** Whether new code for a function under the role reached AWS at once. */
async function passesFor(under: string): Promise<boolean> {
  const reach = readRoleReach(loadConfig(file('seconder.yaml'), KEYS).roleReachPath ?? '')
  const answers = (operation: string) =>
    operation.startsWith('GET')
      ? {
          FunctionArn: `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:resize`,
          Role: under,
          CodeSha256: 'a=',
          RevisionId: 'a',
          Version: '$LATEST',
        }
      : {}
  upstream.script = ({ operation }) => ({ status: 200, body: JSON.stringify(answers(operation)) })
  gate = await Harness.start({
    upstream: upstream.url,
    environments: [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' }],
    roleReach: Object.fromEntries(
      Object.entries(reach).map(([arn, { environments }]) => [arn, environments]),
    ),
  })
  const answer = await rawCall(await gate.open('alice'), {
    service: 'lambda',
    method: 'PUT',
    target: '/2015-03-31/functions/resize/code',
    headers: [['content-type', 'application/json']],
    body: JSON.stringify({ ZipFile: 'UEsDBA==' }),
  })
  const isDone = upstream.seen.some(({ operation }) => operation === CODE)
  expect(isDone).toBe(answer.status === 200)
  return isDone
}
const KEYS = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }

test('H8 what the audit writes is what the gate decides by', async () => {
  const ended = await audit('authz.json', '--reach', 'reach.json', '--json')
  expect([ended.code, ended.error]).toEqual([
    0,
    expect.stringContaining('reach.json: what 3 roles reach'),
  ])
  expect(JSON.parse(readFileSync(file('reach.json'), 'utf8'))).toEqual({
    version: 1,
    roles: {
      [DEV]: { environments: ['development'] },
      [WIDE]: { environments: ['production'] },
      [FAR]: { environments: ['production'] },
    },
  })
  expect(await passesFor(DEV)).toBe(true)
  await gate?.checkLedger()
  await gate?.stop()
  upstream.seen.length = 0
  expect(await passesFor(WIDE)).toBe(false)
})

test('H8 of an export that is cut nothing is written, and the command fails', async () => {
  const { code, error } = await audit('cut.json', '--reach', 'none.json')
  expect([code, error]).toEqual([1, expect.stringContaining('export_not_whole')])
  expect(() => readFileSync(file('none.json'))).toThrow()
})

test('C2 the command lists who goes round the gate, and --fail-on ends with 4', async () => {
  const { code, out } = await audit('authz.json', '--fail-on', 'high')
  expect(code).toBe(4)
  expect(out).toContain('2 can act on production without the gate')
  expect(out).toContain(FAR)
  expect(out).toContain('by role deploy')
  expect((await audit('authz.json', '--fail-on', 'critical')).code).toBe(0)
})

test('the sample of the repository: an agent that makes itself an administrator, and its least policy', async () => {
  const samples = join(import.meta.dirname, '..', '..', 'samples')
  const sample = join(samples, 'authz.json')
  const { code, out } = await audit(sample, '--agent', 'agent-*', '--json', '--fail-on', 'critical')
  expect(code).toBe(4)
  const [first] = (JSON.parse(out) as { findings: { rule: string; subject: string }[] }).findings
  expect(first).toMatchObject({
    rule: 'roles/escalates-to-admin',
    subject: 'arn:aws:iam::123456789012:role/agent-deploy',
  })
  const sized = await audit(
    sample,
    '--right-size',
    'agent-deploy',
    '--trail',
    join(samples, 'trail'),
    '--out',
    'sized',
  )
  expect([sized.code, sized.out]).toEqual([0, expect.stringContaining('Proved: all')])
  const policy = JSON.parse(readFileSync(file('sized/seconder-agent-deploy.json'), 'utf8'))
  expect(policy).toMatchObject({ Version: '2012-10-17' })
  const kept = await audit(sample, '--right-size', 'break-glass', '--trail', join(samples, 'trail'))
  expect([kept.code, kept.error]).toEqual([1, expect.stringContaining('(seldom)')])
})

test.each([
  [2, 'usage', ['authz.json', '--right-size', 'dev-worker']],
  [2, '', ['authz.json', '--fail-on', 'terrible']],
  [2, 'usage', ['authz.json', '--gate', 'me']],
  [1, 'unreadable', ['none.json']],
  [1, 'no_principals', ['seconder.yaml']],
  [1, 'invalid_config', ['authz.json', '--config', 'authz.json']],
  [1, 'unwritable', ['authz.json', '--html', 'none/x.html']],
])('exit %d and %s: %j', async (code, word, argv) => {
  const ended = await audit(...argv)
  expect([ended.code, ended.error]).toEqual([code, expect.stringContaining(word)])
})
