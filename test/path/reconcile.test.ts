// Reconcile at its public door: a gate that borrows its role from the lab's STS, and what CloudTrail would have
// logged of it. Then lies on either side, each of which must be a finding.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '@seconder/aws/call'
import { incidentOfFolder } from '@seconder/cli/incident-of-folder'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { incidentHtml } from '@seconder/replay/incident/html'
import { incidentMarkdown } from '@seconder/replay/incident/markdown'
import { LedgerSide } from '@seconder/replay/reconcile/ledger-side'
import { reconcile } from '@seconder/replay/reconcile/reconcile'
import type { Reconciliation } from '@seconder/replay/reconcile/reconciliation'
import { trailWindow } from '@seconder/replay/trail/window'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILED } from '../compiled.ts'
import { Harness, requestIdIn } from './harness.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const ROLE = 'arn:aws-cn:iam::123456789012:role/agent-deploy'
const folder = mkdtempSync(join(tmpdir(), 'seconder-reconcile-'))
const file = join(folder, 'trail.json')

let cloud: Cloud
let gate: Harness
let ledger: string
/** As the lab logged it, before somebody goes round the gate. */
let clean: readonly JsonObject[]

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  await sdkClients({ ...cloud, credentials: cloud.credentials.operator }).dynamoDb.send(
    new CreateTableCommand({
      TableName: 'orders',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  gate = await Harness.start({
    upstream: cloud.endpoint,
    credentials: cloud.credentials.gate,
    lentRole: ROLE,
    follow: { firstMs: 20, pauseMaxMs: 50, forMs: 60_000 },
  })
  await work()
  ledger = join(gate.folder, 'ledger')
  clean = structuredClone(cloud.trail) as readonly JsonObject[]
})

afterAll(async () => {
  await gate.stop()
  await cloud.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A read, a read of one item, and a deletion that bob signs and that is followed to its end. */
async function work(): Promise<void> {
  const { accessKeyId, secretAccessKey, endpoint } = await gate.open('alice')
  const agent = new DynamoDBClient({
    endpoint,
    region: cloud.region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  })
  await agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  await agent.send(new GetItemCommand({ TableName: 'orders', Key: { id: { S: '1' } } }))
  const drop = () => agent.send(new DeleteTableCommand({ TableName: 'orders' }))
  await gate.review('bob', requestIdIn(await drop().catch((error: Error) => error)))
  await drop()
  for (let look = 0; look < 500; look += 1) {
    const entries = await gate.entries()
    if (entries.some((entry) => JSON.stringify(entry).includes('"confirmed"'))) return
    await pause(50)
  }
  throw new Error('the deletion was not followed to its end')
}

/** In this process: the same code as the command's. */
async function held(events: readonly JsonObject[], since = ''): Promise<Reconciliation> {
  writeFileSync(file, JSON.stringify({ Records: events }))
  let side = new LedgerSide()
  const { report } = await verifyLedgerFolder(ledger, {
    onEntry: (index, text, hash) => {
      if (index === 0) side = new LedgerSide()
      side.take(index, text, hash)
    },
  })
  const trail = await trailWindow([file], { since, until: '' })
  return reconcile({
    ledger: side,
    trail,
    verified: report.ok,
    entries: report.size,
    gatePrincipal: '',
    since,
    until: '',
  })
}

const codes = ({ findings }: Reconciliation) => findings.map(({ code }) => code)
const isDrop = ({ eventName }: JsonObject) => eventName === 'DeleteTable'
const edited = (edit: (event: JsonObject) => JsonObject) =>
  clean.map((event) => (isDrop(event) ? edit(event) : event))

test('H10: what went through the gate is matched by AWS request id, and what was accepted to its end', async () => {
  const found = await held(clean)
  expect(codes(found)).toEqual([])
  expect(found).toMatchObject({
    verified: true,
    matched: { changes: 1, byRequestId: 1 },
    // GetItem is a data event: the trail has none, and that says nothing.
    apart: { notLogged: 1 },
    followed: [
      { operation: 'dynamodb:DeleteTable', outcome: 'accepted', end: 'confirmed: succeeded' },
    ],
  })
  expect(found.matched.reads).toBe(1)
  expect(found.apart.ownLookUps).toBeGreaterThan(0)
})

test('H14: an event that the trail lost is a finding, and so is an entry that the ledger lost', async () => {
  const lost = await held(clean.filter((event) => !isDrop(event)))
  expect(codes(lost)).toEqual(['intent_without_event'])
  const drop = clean.find(isDrop) as JsonObject
  const again = { ...drop, eventID: 'another', requestID: 'another' }
  const more = await held([...clean, again])
  expect(codes(more)).toEqual(['change_without_intent'])
  expect(more.findings[0]?.evidence).toMatchObject([{ source: 'trail', id: 'another' }])
  expect(more.findings[0]?.says).toContain('which can do harm (destroy)')
})

test('a window says nothing of what is outside of it', async () => {
  const future = new Date(Date.now() + 60_000).toISOString()
  expect(await held(clean, future)).toMatchObject({
    events: 0,
    findings: [],
    matched: { changes: 0 },
  })
})

test('the role used by somebody else, another session, another operator and another outcome are findings', async () => {
  const identity = (event: JsonObject) => event['userIdentity'] as JsonObject
  const context = (event: JsonObject) => identity(event)['sessionContext'] as JsonObject
  const named = (arn: string) =>
    edited((event) => ({ ...event, userIdentity: { ...identity(event), arn } }))
  const base = ROLE.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')
  expect(codes(await held(named(`${base}/somebody`)))).toContain('not_of_the_gate')
  const other = `${base}/s-0${'0'.repeat(25)}-${'0'.repeat(26)}`
  expect(codes(await held(named(other)))).toContain('session_unknown')
  const session = String(identity(clean.find(isDrop) as JsonObject)['arn'])
    .split('/')
    .at(-1)
  const issuer = (event: JsonObject) => ({
    ...context(event),
    sessionIssuer: { ...(context(event)['sessionIssuer'] as JsonObject), arn: `${ROLE}-2` },
  })
  const elsewhere = edited((event) => ({
    ...event,
    userIdentity: {
      ...identity(event),
      arn: `${base}-2/${session}`,
      sessionContext: issuer(event),
    },
  }))
  expect(codes(await held(elsewhere))).toContain('not_of_the_gate')
  const chained = edited((event) => ({
    ...event,
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    requestID: 'chained',
    requestParameters: { roleArn: `${ROLE}-2`, roleSessionName: 'x' },
  }))
  expect(codes(await held(chained))).toContain('change_without_intent')
  const mallory = edited((event) => ({
    ...event,
    userIdentity: {
      ...identity(event),
      sessionContext: { ...context(event), sourceIdentity: 'mallory' },
    },
  }))
  expect(codes(await held(mallory))).toEqual(['operator_differs'])
  const refused = edited((event) => ({ ...event, errorCode: 'AccessDenied' }))
  expect(codes(await held(refused))).toEqual(['outcome_differs'])
})

test('without request ids the time and the resource tell; far away in time nothing does', async () => {
  const bare = edited(({ requestID: _, ...event }) => event)
  expect(await held(bare)).toMatchObject({ findings: [], matched: { changes: 1, byTime: 2 } })
  const hour = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
  const late = edited(({ requestID: _, ...event }) => ({ ...event, eventTime: hour }))
  const apart = await held(late)
  expect(codes(apart).sort(), JSON.stringify(apart.findings)).toEqual([
    'change_without_intent',
    'intent_without_event',
  ])
})

test('H14: the incident report holds the ledger against a trail that is given beside it', async () => {
  const all = { since: '', until: '', resource: '', session: '' }
  const reported = async (events: readonly JsonObject[]) => {
    writeFileSync(file, JSON.stringify({ Records: events }))
    const trail = await trailWindow([file], all)
    return incidentOfFolder(ledger, { selection: all, candidates: [], impact: null, trail })
  }
  const head = 'What went round the gate'
  const whole = await reported(clean)
  expect(whole.answers.find((one) => one.head === head)?.says).toMatch(/^By this trail, nothing/)
  expect(incidentHtml(whole)).toContain('No finding.')
  const drop = clean.find(isDrop) as JsonObject
  const hostile = '<img src=x>`|\n# owned'
  const round = { ...drop, eventID: hostile, requestID: 'another' }
  const found = await reported([...clean, round])
  expect(found.reconciled?.counts).toEqual({ change_without_intent: 1 })
  expect(found.answers.find((one) => one.head === head)?.says).toBe(
    'CloudTrail and the ledger differ in 1 finding: a change under a role of the gate that the ledger has no intent for (1).',
  )
  const markdown = incidentMarkdown(found)
  expect(markdown).toContain('## What CloudTrail has beside the ledger')
  expect(markdown).toContain('change\\_without\\_intent')
  for (const text of [markdown, incidentHtml(found)]) {
    expect(text).not.toContain('<img')
    expect(text).not.toMatch(/^# owned/m)
    expect(text).toContain('which can do harm (destroy)')
  }
  // A part of the trail that cannot be read may hold what went round: then nothing is said of it.
  const cut = join(folder, 'cut.json')
  writeFileSync(cut, `{"Records":[${JSON.stringify(round)},{"eventID":`)
  writeFileSync(file, JSON.stringify({ Records: clean }))
  const partly = await incidentOfFolder(ledger, {
    ...{ selection: all, candidates: [], impact: null },
    trail: await trailWindow([file, cut], all),
  })
  expect(partly.warnings.join()).toContain('what is broken in 1 file of the trail')
  expect(partly.reconciled?.left).toEqual({ events: 0, files: 1, entries: 0 })
  const none = await reported([])
  expect(none.answers.find((one) => one.head === head)?.says).toContain('it says nothing')
})

test('as a command: going round the gate ends with 1 where it is asked for, and is said with its event', async () => {
  const around = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  await around.dynamoDb
    .send(new DeleteTableCommand({ TableName: 'payments' }))
    .catch((error: Error) => error)
  around.destroy()
  writeFileSync(file, JSON.stringify({ Records: cloud.trail }))
  const run = (...more: string[]) =>
    seconder('ledger', 'reconcile', '--ledger', ledger, '--trail', file, ...more)
  const [said, stopped, wrong, report] = await Promise.all([
    run(),
    run('--json', '--fail-on', 'not_of_the_gate'),
    run('--fail-on', 'everything'),
    seconder('incident', 'report', '--ledger', ledger, '--trail', file),
  ])
  expect(report.code).toBe(0)
  expect(report.out).toContain('a role of the gate used by a session that no gate opened (1)')
  expect(said.code).toBe(0)
  expect(said.out).toContain('1 finding')
  expect(said.out).toContain('which no gate opened')
  expect(said.out).toContain('accepted → confirmed: succeeded')
  expect(stopped.code).toBe(1)
  expect(JSON.parse(stopped.out)).toMatchObject({
    format: 'seconder-reconciliation@v1',
    findings: [{ code: 'not_of_the_gate', operation: 'dynamodb:DeleteTable' }],
  })
  expect(wrong.code).toBe(2)
  expect(readFileSync(file, 'utf8')).not.toContain('SecretAccessKey')
})

function seconder(...given: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
  const env = { PATH: process.env['PATH'], ...COMPILED, HOME: folder }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...given], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}
