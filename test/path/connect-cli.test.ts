// The AWS CLI from before AWS_ENDPOINT_URL (v2 2.9, v1 1.27) as it is installed, through CONNECT mode:
// it is told a proxy and a CA and nothing else, and speaks to the hosts that it makes up itself.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cloud, STORY_REGION, startCloud } from '@seconder/lab/cloud/cloud'
import { createCostExplorerEnvironment } from '@seconder/lab/cloud/environment'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys } from './harness.ts'

const AWS = '/usr/bin/aws'
const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const version = String(spawnSync(AWS, ['--version']).stdout ?? '')
const isOld = /^aws-cli\/(2\.([0-9]|1[0-2])|1\.([0-9]|1[0-9]|2[0-8]))\./.test(version)
if (!isOld)
  console.warn(`skipped: no AWS CLI before AWS_ENDPOINT_URL at ${AWS} (${version.trim()})`)

let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'seconder-cli-'))
})

afterAll(() => {
  rmSync(home, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the CLI with what `seconder session open --connect` prints, and no other way out. */
async function aws(gate: Harness, keys: Keys, region: string, ...args: string[]): Promise<Ran> {
  const env = {
    HOME: home,
    PATH: '/usr/bin:/bin',
    HTTPS_PROXY: gate.running.awsUrl,
    AWS_CA_BUNDLE: (await gate.running.gate.facts()).caFile,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(home, 'config'),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
  }
  return new Promise((resolve) => {
    execFile(AWS, args, { env, cwd: home, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    })
  })
}

test.skipIf(!isOld)(
  'what `session open --connect` prints is all that an old CLI needs',
  async () => {
    const upstream = await startFakeUpstream()
    upstream.script = () => ({
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body:
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
        '<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>' +
        '</GetCallerIdentityResponse>',
    })
    const gate = await Harness.start({ upstream: upstream.url })
    const open = [process.execPath, MAIN, 'session', 'open', '--connect']
    const named = ['--gate', gate.running.consoleUrl, '--ssh-key', gate.keys.get('alice') ?? '']
    const script = `eval "$(${[...open, ...named].join(' ')})" && exec ${AWS} sts get-caller-identity`
    const env = {
      ...{ HOME: home, PATH: '/usr/bin:/bin', AWS_REGION: 'eu-west-1' },
      ...{ AWS_DEFAULT_REGION: 'eu-west-1', AWS_PAGER: '', NO_PROXY: '*' },
    }
    const out = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', script], { env, cwd: home }, (_, text, err) => resolve(text + err))
    })
    expect(out).toContain('"Account": "123456789012"')
    await gate.stop()
    await upstream.close()
  },
)

function idIn({ err }: Ran): string {
  return /\br-[0-9a-z]{26}\b/.exec(err)?.[0] ?? `none in: ${err}`
}

test.skipIf(!isOld)(
  'an old CLI works on a cloud in China: STS, DynamoDB, CloudFormation, S3',
  async () => {
    const cloud: Cloud = await startCloud({ stepMs: 1 })
    await createCostExplorerEnvironment(cloud)
    const gate = await Harness.start({
      upstream: cloud.endpoint,
      credentials: cloud.credentials.deploy,
    })
    const keys = await gate.open('alice')
    const run = (...args: string[]) => aws(gate, keys, STORY_REGION, ...args)

    expect(await run('sts', 'get-caller-identity')).toMatchObject({ code: 0 })
    const stacks = await run('cloudformation', 'describe-stacks', '--query', 'Stacks[].StackName')
    expect(JSON.parse(stacks.out)).toEqual(['cost-explorer'])
    const tables = await run('dynamodb', 'list-tables')
    expect(JSON.parse(tables.out).TableNames.length).toBe(1)
    const listed = await run('s3', 'ls', 's3://cost-explorer-data/')
    expect(listed.code, listed.err).toBe(0)

    writeFileSync(join(home, 'notes.txt'), 'from an old client')
    const put = ['s3', 'cp', 'notes.txt', 's3://cost-explorer-data/a b+é.txt']
    // Over TLS this client leaves the payload out of its signature; the gate holds it and binds it.
    const held = await run(...put)
    expect(held.code).not.toBe(0)
    await gate.review('bob', idIn(held))
    const done = await run(...put)
    expect(done.code, done.err).toBe(0)
    const back = await run('s3', 'cp', 's3://cost-explorer-data/a b+é.txt', 'back.txt')
    expect(back.code, back.err).toBe(0)
    expect(readFileSync(join(home, 'back.txt'), 'utf8')).toBe('from an old client')

    await gate.stop()
    await cloud.close()
  },
)

// Each command with the host the CLI makes up, the answer of an upstream in the form of its API
// reference, and what must be in the CLI's output.
const COMMANDS: readonly Command[] = [
  {
    args: ['iam', 'list-users'],
    operation: 'iam:ListUsers',
    seen: /^ListUsers$/,
    answer:
      '<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult>' +
      '<Users><member><UserName>ops</UserName><Path>/</Path><UserId>AIDA</UserId>' +
      '<Arn>arn:aws:iam::123456789012:user/ops</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>' +
      '</member></Users><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>',
    shows: '"UserName": "ops"',
  },
  {
    args: ['route53', 'list-hosted-zones'],
    operation: 'route53:ListHostedZones',
    seen: /^GET \/2013-04-01\/hostedzone$/,
    answer:
      '<ListHostedZonesResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZones>' +
      '<HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>c</CallerReference>' +
      '</HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>' +
      '</ListHostedZonesResponse>',
    shows: '"Name": "example.com."',
  },
  {
    args: ['s3control', 'list-access-points', '--account-id', '123456789012'],
    operation: 's3:ListAccessPoints',
    seen: /^GET \/v20180820\/accesspoint$/,
    answer:
      '<ListAccessPointsResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">' +
      '<AccessPointList><AccessPoint><Name>point</Name><NetworkOrigin>Internet</NetworkOrigin>' +
      '<Bucket>orders</Bucket></AccessPoint></AccessPointList></ListAccessPointsResult>',
    shows: '"Name": "point"',
  },
  {
    args: ['s3api', 'list-objects-v2', '--bucket', 'orders'],
    operation: 's3:ListObjectsV2',
    seen: /^GET \/orders\/\?list-type=2/,
    answer:
      '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>orders</Name>' +
      '<IsTruncated>false</IsTruncated><Contents><Key>one</Key><Size>1</Size></Contents></ListBucketResult>',
    shows: '"Key": "one"',
  },
]

interface Command {
  readonly args: readonly string[]
  readonly operation: string
  readonly seen: RegExp
  readonly answer: string
  readonly shows: string
}

/** Each in some partition; in every one by `SECONDER_CLIENTS=all` (`npm run test:clients`). */
function played(partition: number): readonly Command[] {
  if (process.env['SECONDER_CLIENTS'] === 'all') return COMMANDS
  return COMMANDS.filter((_, at) => at % 2 === partition % 2)
}

test.skipIf(!isOld)(
  'an old CLI reads IAM, Route 53, S3 Control and S3 in every partition',
  async () => {
    const upstream: FakeUpstream = await startFakeUpstream()
    const gate = await Harness.start({ upstream: upstream.url })
    const keys = await gate.open('alice')
    for (const [at, region] of ['eu-west-1', 'cn-north-1', 'us-gov-west-1'].entries()) {
      for (const { args, operation, seen, answer, shows } of played(at)) {
        upstream.seen.length = 0
        upstream.script = () => ({
          status: 200,
          headers: { 'content-type': 'text/xml' },
          body: answer,
        })
        const ran = await aws(gate, keys, region, ...args)
        expect(ran.err, `${operation} in ${region}`).toBe('')
        expect(ran.out).toContain(shows)
        expect(upstream.seen.map((one) => one.operation)).toEqual([expect.stringMatching(seen)])
        expect((await gate.entries()).at(-1)).toMatchObject({ type: 'read', operation })
      }
    }
    await gate.stop()
    await upstream.close()
  },
)

test.skipIf(!isOld)('a write is held once, with its words, and runs after approval', async () => {
  const upstream = await startFakeUpstream()
  // Look-ups are answered alike throughout: what changed since a review would end its grant.
  upstream.script = ({ request }) => ({ status: request.method === 'DELETE' ? 204 : 200, body: '' })
  const gate = await Harness.start({ upstream: upstream.url })
  const keys = await gate.open('alice')
  const run = () =>
    aws(gate, keys, 'eu-west-1', 's3api', 'delete-object', '--bucket', 'orders', '--key', 'a')
  const held = await run()
  expect(held.err).toContain('AccessDenied')
  expect(upstream.seen.filter(({ request }) => request.method === 'DELETE')).toEqual([])
  await gate.review('bob', idIn(held))
  expect((await run()).code).toBe(0)
  const deleted = upstream.seen.filter(({ request }) => request.method === 'DELETE')
  expect(deleted.map(({ request }) => request.target)).toEqual(['/orders/a'])
  await gate.stop()
  await upstream.close()
})
