// AWS CLI v1 and v2 as they are installed, in every protocol they speak, through a real gate: a held call,
// an approved and a denied one, each one request, with the gate's words and id on the terminal and the
// exit code of the CLI's own refusals. Skips, in words, what this machine does not have.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type FakeAnswer,
  type FakeUpstream,
  type Seen,
  startFakeUpstream,
} from '../fakes/upstream.ts'
import { CLIS, type Cli, ClientHome, countAtDoor, DenyingPolicies, TRICKY } from './clients.ts'
import { Harness, requestIdIn } from './harness.ts'

interface Command {
  readonly args: readonly string[]
  readonly operation: string
  /** What CLI v1 and the newer v2 speak; CloudWatch is awsQuery in older ones. */
  readonly protocol: string
  /** True for `aws s3`, whose commands end with 1 where a transfer failed. */
  readonly isTransfer?: boolean
}

const COMMANDS: readonly Command[] = [
  {
    protocol: 'awsJson1.0',
    args: ['dynamodb', 'delete-table', '--table-name', 'orders'],
    operation: 'dynamodb:DeleteTable',
  },
  {
    protocol: 'awsJson1.1',
    args: ['logs', 'delete-log-group', '--log-group-name', 'orders'],
    operation: 'logs:DeleteLogGroup',
  },
  {
    protocol: 'awsQuery',
    args: ['sns', 'delete-topic', '--topic-arn', 'arn:aws:sns:eu-west-1:123456789012:alerts'],
    operation: 'sns:DeleteTopic',
  },
  {
    protocol: 'ec2Query',
    args: ['ec2', 'delete-vpc', '--vpc-id', 'vpc-0123456789abcdef0'],
    operation: 'ec2:DeleteVpc',
  },
  {
    protocol: 'restJson1',
    args: ['lambda', 'delete-function', '--function-name', 'thumbs'],
    operation: 'lambda:DeleteFunction',
  },
  {
    protocol: 'restXml',
    args: ['route53', 'delete-hosted-zone', '--id', 'Z0123456789'],
    operation: 'route53:DeleteHostedZone',
  },
  {
    protocol: 'restXml of CloudFront',
    args: ['cloudfront', 'delete-distribution', '--id', 'E2QWRUHEXAMPLE', '--if-match', 'E1'],
    operation: 'cloudfront:DeleteDistribution',
  },
  {
    protocol: 's3',
    args: ['s3api', 'delete-object', '--bucket', 'orders', '--key', 'a b+é.txt'],
    operation: 's3:DeleteObject',
  },
  {
    protocol: 's3, as `aws s3 rm`',
    args: ['s3', 'rm', 's3://orders/one.txt'],
    operation: 's3:DeleteObject',
    isTransfer: true,
  },
  {
    protocol: 's3, as `aws s3 cp`',
    args: ['s3', 'cp', 'notes.txt', 's3://orders/notes.txt'],
    operation: 's3:PutObject',
    isTransfer: true,
  },
]

/** One command of each form of answer; `SECONDER_CLIENTS=all` (`npm run test:clients`) plays every one. */
const FEW = ['awsJson1.0', 'awsQuery', 'restXml', 's3, as `aws s3 rm`']

const PLAYED =
  process.env['SECONDER_CLIENTS'] === 'all'
    ? COMMANDS
    : COMMANDS.filter(({ protocol }) => FEW.includes(protocol))

const ZONE =
  '<?xml version="1.0"?><DeleteHostedZoneResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">' +
  '<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>' +
  '</ChangeInfo></DeleteHostedZoneResponse>'

/** As the API references show the answers of these operations; look-ups learn nothing. */
function answer({ operation, request }: Seen): FakeAnswer {
  if (operation === 'DeleteTopic') {
    return xml('<DeleteTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"/>')
  }
  if (operation === 'DeleteVpc') {
    return xml(
      '<DeleteVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><return>true</return></DeleteVpcResponse>',
    )
  }
  if (/hostedzone/.test(request.target) && request.method === 'DELETE') return xml(ZONE)
  if (request.method === 'DELETE') return { status: 204, body: '' }
  if (request.method === 'PUT') return { status: 200, headers: { etag: '"e"' }, body: '' }
  return { status: 200, body: '{}' }
}

function xml(body: string): FakeAnswer {
  return { status: 200, headers: { 'content-type': 'text/xml' }, body }
}

const home = new ClientHome()
const denying = new DenyingPolicies()
let upstream: FakeUpstream
let closedUpstream: FakeUpstream

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script = answer
  closedUpstream = await startFakeUpstream()
  writeFileSync(home.path('notes.txt'), 'from a client')
  // Over plain HTTP every version signs its payload; the newer ones add a checksum of their own.
  writeFileSync(home.path('config'), '[default]\ns3 =\n  payload_signing_enabled = true\n')
})

afterAll(async () => {
  home.remove()
  denying.remove()
  await upstream.close()
  await closedUpstream.close()
})

/**
 * What the CLI ends with where the server answered with an error.
 * Sources: https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html (v2: 254),
 * https://docs.aws.amazon.com/cli/v1/userguide/cli-usage-returncodes.html (v1: 255); both: 1 for `s3`.
 */
function refusedCode({ version }: Cli, isTransfer = false): number {
  if (isTransfer) return 1
  return version.startsWith('1.') ? 255 : 254
}

async function story(cli: Cli, { args, operation, isTransfer }: Command): Promise<void> {
  const gate = await Harness.start({ upstream: upstream.url })
  const keys = await gate.open('alice')
  const door = countAtDoor(gate)
  const run = () => home.run(cli, { endpoint: keys.endpoint, keys }, ...args)

  const held = await run()
  const id = requestIdIn(new Error(held.err))
  const [, name] = operation.split(':') as [string, string]
  expect(held.err).toContain(
    `when calling the ${name} operation: Seconder held this call, nothing was done: `,
  )
  expect(held.err).toContain(`${operation} in production needs review by `)
  expect(held.err).toContain(
    `${gate.running.consoleUrl}/requests/${id} . After approval run the same call`,
  )
  expect(held).toMatchObject({
    code: refusedCode(cli, isTransfer),
    out: expect.not.stringContaining('delete:'),
  })
  expect(door.taken()).toBe(1)

  await gate.review('bob', id)
  const done = await run()
  expect(done).toMatchObject({ code: 0, err: '' })
  expect(door.taken()).toBe(1)
  const entries = await gate.entries()
  expect(entries.filter(({ type }) => type === 'request-opened')).toHaveLength(1)
  expect(entries.filter(({ type }) => type === 'intent')).toEqual([
    expect.objectContaining({ operation, request: id }),
  ])
  await gate.stop()
}

async function denial(cli: Cli, gate: Harness, { args, operation, isTransfer }: Command) {
  const keys = await gate.open('alice')
  const door = countAtDoor(gate)
  const denied = await home.run(cli, { endpoint: keys.endpoint, keys }, ...args)
  expect(denied.err).toContain(`Seconder denied ${operation} in production; nothing was done: `)
  expect(denied.err).toContain(TRICKY)
  expect(denied.code).toBe(refusedCode(cli, isTransfer))
  expect(door.taken()).toBe(1)
  expect((await gate.entries()).at(-1)).toMatchObject({ type: 'denied', operation })
}

async function rejection(cli: Cli, gate: Harness, { args, operation }: Command): Promise<void> {
  const keys = await gate.open('alice')
  const door = countAtDoor(gate)
  const run = () => home.run(cli, { endpoint: keys.endpoint, keys }, ...args)
  const id = requestIdIn(new Error((await run()).err))
  await gate.review('bob', id, 'deny', TRICKY)
  door.taken()
  const denied = await run()
  const said = TRICKY.replaceAll('"', "'")
  expect(denied.err, operation).toContain(
    `Seconder: request ${id} was denied by bob; nothing was done. They say: "${said}"`,
  )
  expect(denied.code).toBe(refusedCode(cli))
  expect(door.taken()).toBe(1)
}

for (const [major, cli] of Object.entries(CLIS)) {
  describe.skipIf(cli === undefined)(`AWS CLI ${major} ${cli?.version ?? '(not here)'}`, () => {
    for (const command of PLAYED) {
      test.concurrent(`${command.protocol}: held, then approved and done, one request each`, () =>
        story(cli as Cli, command))
    }
    test('a denial shows the reason of policy in each protocol played as it was written', async () => {
      const gate = await Harness.start({ upstream: closedUpstream.url, policies: denying.folder })
      for (const command of PLAYED) await denial(cli as Cli, gate, command)
      expect(closedUpstream.seen.filter(({ request }) => request.method === 'DELETE')).toEqual([])
      await gate.stop()
    })
    test.concurrent("a person's denial shows its id and words in each protocol played, in one request", async () => {
      const gate = await Harness.start({ upstream: closedUpstream.url })
      const each = PLAYED.filter(({ protocol }) => !protocol.includes(' '))
      for (const command of each) await rejection(cli as Cli, gate, command)
      expect((await gate.entries()).filter(({ type }) => type === 'intent')).toEqual([])
      await gate.stop()
    })
  })
}
