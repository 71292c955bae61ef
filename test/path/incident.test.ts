// The incident report at its public door: the command as a process, on the ledger of a real gate. What people
// and agents wrote is inert in every form, and a ledger that does not verify is said loudly.
import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '@seconder/aws/call'
import { incidentOfFolder, payloadsIn } from '@seconder/cli/incident-of-folder'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { incidentOfLedger } from '@seconder/replay/incident/from-ledger'
import { incidentOfTrail } from '@seconder/replay/incident/from-trail'
import { incidentHtml } from '@seconder/replay/incident/html'
import type { Incident } from '@seconder/replay/incident/incident'
import { incidentJson } from '@seconder/replay/incident/json'
import { LedgerRecord } from '@seconder/replay/incident/ledger-record'
import { incidentMarkdown } from '@seconder/replay/incident/markdown'
import { IamExport } from '@seconder/replay/incident/role-excess'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { trailWindow } from '@seconder/replay/trail/window'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILED } from '../compiled.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'seconder-incident-'))
/** Markup, Markdown, a terminal's escape, a right-to-left override and line ends, as an agent could send them. */
const HOSTILE =
  '</q><script>alert(1)</script> [x](javascript:alert(2)) ![i](http://evil.example/p.png)\n# heading\r\n| a | b |\u001b[31m \u202egnp.exe `code` <img src=x onerror=alert(3)>'
const COMMENT = '**seen** <b>by me</b> [link](http://evil.example) \u202e `x`'

const NOW = '2026-08-21T00:00:00Z'

let upstream: FakeUpstream
let gate: Harness
let ledger: string

function seconder(...given: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
  const env = { PATH: process.env['PATH'], ...COMPILED, HOME: folder }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...given], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

const reportOf = (...more: string[]) => seconder('incident', 'report', '--ledger', ledger, ...more)
const parsed = async (...more: string[]) =>
  JSON.parse((await reportOf('--format', 'json', ...more)).out) as Incident

/** One run writes every form. */
const written = { html: '', md: '', json: '' }
let incident: Incident
let verified: Awaited<ReturnType<Harness['checkLedger']>>

/** One deletion that bob approves and that runs, and one that he denies. */
async function deletions(): Promise<void> {
  const agent = gate.dynamodb(await gate.open('alice', 'kiro-cli 1.22'))
  agent.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-seconder-reason'] = encodeURIComponent(HOSTILE)
      return next(args)
    },
    { step: 'build' },
  )
  const remove = (TableName: string) =>
    agent.send(new DeleteTableCommand({ TableName })).catch((error: Error) => error)
  await agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  await gate.review('bob', requestIdIn(await remove('orders')), 'approve', COMMENT)
  expect(await remove('orders')).not.toBeInstanceOf(Error)
  await gate.review('bob', requestIdIn(await remove('payments')), 'deny', 'not this one')
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  await deletions()
  ledger = join(gate.folder, 'ledger')
  await gate.running.close()
  const file = (form: string) => join(folder, `incident.${form}`)
  const files = ['--html', file('html'), '--markdown', file('md'), '--json', file('json')]
  const said = await reportOf(...files, '--propose', join(folder, 'proposed'))
  expect(said).toMatchObject({ code: 0, out: '' })
  for (const form of ['html', 'md', 'json'] as const) {
    written[form] = readFileSync(file(form), 'utf8')
  }
  incident = JSON.parse(written.json) as Incident
  verified = await gate.checkLedger()
})

afterAll(async () => {
  await gate.checkLedger()
  rmSync(gate.folder, { recursive: true, force: true })
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the chain goes from the operator to the outcome, each link with the entry that says it', async () => {
  const { entries } = await gate.checkLedger()
  expect(incident).toMatchObject({
    format: 'seconder-incident@v1',
    madeFrom: 'ledger',
    warnings: [],
    source: { verified: true, entries: entries.length },
    chainCount: 2,
  })
  const [done, denied] = incident.chains
  expect(done?.links.map(({ link }) => link)).toEqual([
    ...['operator', 'agent', 'session', 'role', 'policy', 'request', 'review', 'grant'],
    ...['call', 'outcome'],
  ])
  const says = (name: string) => done?.links.find(({ link }) => link === name)
  expect(says('operator')?.says).toContain('`alice`')
  expect(says('agent')?.says).toContain('`kiro-cli 1.22`')
  expect(says('policy')?.says).toContain('`production-destroy` asked for 1 of sre')
  expect(says('review')?.says).toMatch(
    /`bob` of sre approved .*having been shown: “This would delete/,
  )
  // The index is that of the very entry, and its hash the leaf hash of RFC 6962.
  const [review] = says('review')?.evidence ?? []
  expect(entries[review?.entry ?? -1]).toMatchObject({ type: 'review', reviewer: 'bob' })
  expect(review?.id).toMatch(/^[0-9a-f]{64}$/)
  const [outcome] = says('outcome')?.evidence ?? []
  expect(entries[outcome?.entry ?? -1]).toMatchObject({ type: 'outcome' })
  expect(done?.effect).toMatchObject({ fate: 'happened', effects: ['destroy'] })
  expect(denied?.effect).toMatchObject({ fate: 'held', outcome: 'none' })
})

test('an export of IAM says what the role allowed beyond what was used, destruction by name', async () => {
  const factorFor = async (roleName: string) => {
    const Statement = [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }]
    const bytes = Buffer.from(
      JSON.stringify({
        UserDetailList: [],
        GroupDetailList: [],
        Policies: [],
        RoleDetailList: [
          {
            RoleName: roleName,
            RoleId: 'AROAEXAMPLE',
            Path: '/',
            Arn: `arn:aws:iam::123456789012:role/${roleName}`,
            CreateDate: '2026-01-01T00:00:00Z',
            AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
            RolePolicyList: [
              { PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement } },
            ],
            AttachedManagedPolicies: [],
            InstanceProfileList: [],
            Tags: [],
          },
        ],
      }),
    )
    const iam = new IamExport(readEstate([{ name: 'iam.json', bytes }]), 'iam.json', NOW)
    const selection = { since: '', until: '', resource: '', session: '' }
    const asked = { selection, candidates: [], impact: null, iam }
    const { factors, cannotKnow } = await incidentOfFolder(ledger, asked)
    expect(cannotKnow.join()).not.toContain('IAM')
    return factors.find(({ factor, says }) => factor === 'role' && says.includes('iam.json'))?.says
  }
  // Of DynamoDB's own actions: the table was deleted, so that is used; a back-up could have been as well.
  // Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
  const says = await factorFor('agent-deploy')
  expect(says).toMatch(/^IAM allowed .*deploy.* kinds of change beyond the 1 used in this window/)
  expect(says).toContain('dynamodb:DeleteBackup')
  expect(says).not.toContain('dynamodb:DeleteTable`')
  expect(await factorFor('somebody-else')).toContain('is not in')
})

test('factors say what let it and what held it, each with evidence, and name nobody as guilty', () => {
  const { factors, answers } = incident
  const let1 = factors.filter(({ did, chains }) => did === 'let' && chains.includes('1'))
  expect(let1.map(({ factor }) => factor)).toEqual(
    expect.arrayContaining(['role', 'policy', 'review', 'agent']),
  )
  const held = factors.filter(({ did, chains }) => did === 'held' && chains.includes('2'))
  expect(held.map(({ factor }) => factor)).toEqual(['policy', 'review'])
  for (const { evidence, says } of factors) {
    expect(evidence.length).toBeGreaterThan(0)
    expect(says).not.toMatch(/fault|blame|guilty|alice|`bob`/i)
  }
  expect(answers.map(({ head }) => head)).toEqual([
    'What happened',
    'For how long',
    'What was touched',
    'What let it happen',
    'What would have stopped it',
  ])
})

test('the proposal loads beside the policies, its cases pass, and it would have stopped what happened', async () => {
  const proposed = join(folder, 'proposed')
  const with1 = incident.candidates.find(({ name }) => name.endsWith('with the proposed change'))
  expect(with1?.answers[0]).toMatchObject({ chain: '1', wouldHave: 'stopped' })
  const inForce = incident.candidates.find(({ name }) => name === 'epoch 1, as it was in force')
  expect(inForce?.answers[0]).toMatchObject({ wouldHave: 'passed' })
  // As a person would open it: in a copy of the policies, tested there.
  const policies = join(folder, 'policies')
  cpSync(join(ROOT, 'lab', 'policies'), policies, { recursive: true })
  cpSync(proposed, policies, { recursive: true })
  const tested = await seconder('policy', 'test', policies)
  expect(tested).toMatchObject({ code: 0 })
  expect(tested.out).toContain('0 failed')
})

/** No markup but ours, no line or link of anybody else, nothing invisible. */
function expectInert({ html, md, json }: typeof written): void {
  for (const text of [html, md, json]) {
    expect(text.match(/[[\p{Cc}\p{Cf}]--\n]/gv)).toBe(null)
    expect(text).toContain('alert')
  }
  const tags = html.match(/<[a-z!][^>]*>/gi) ?? []
  const live = /^<(script|img|b|a|iframe|link|object)\b|\s(on\w+|src|href)=/i
  // What stands in a quoted value is a value.
  expect(tags.filter((tag) => live.test(tag.replace(/"[^"]*"/g, '""')))).toEqual([])
  expect(html).toContain("default-src 'none'")
  // A renderer of Markdown takes what stands in backticks as it is.
  const prose = md.replace(/`[^`\n]*`/g, '')
  expect(prose).not.toMatch(/^# heading|^\| a \| b|<\w/m)
  expect(prose).not.toMatch(/(?<!\\)\]\(|(?<!\\)!\[|https?:/)
}

test('hostile words are inert: no markup in HTML, no line or link in Markdown, no control anywhere', () => {
  expectInert(written)
  // Parsed again it is what was said, control characters and all.
  expect(incident.chains[0]?.claimed).toBe(HOSTILE)
})

test('and so are those of a trail: names, user agents, error codes', async () => {
  const event = {
    eventSource: 'dynamodb.amazonaws.com',
    eventName: 'DeleteTable',
    eventTime: '2025-12-08T09:31:30Z',
    eventID: HOSTILE,
    eventType: 'AwsApiCall',
    awsRegion: `eu-west-1${HOSTILE}`,
    userAgent: HOSTILE,
    sourceIPAddress: HOSTILE,
    requestParameters: { tableName: HOSTILE },
    userIdentity: {
      arn: `arn:aws:sts::123456789012:assumed-role/agent/${HOSTILE}`,
      sessionContext: {
        sessionIssuer: { arn: `arn:aws:iam::123456789012:role/${HOSTILE}` },
        sourceIdentity: HOSTILE,
      },
    },
  }
  const refused = { ...event, eventID: 'other', errorCode: HOSTILE }
  const trail = join(folder, 'hostile.json')
  writeFileSync(trail, JSON.stringify({ Records: [event, refused] }))
  const selection = { since: '', until: '', resource: '', session: '' }
  const found = await incidentOfTrail({
    window: await trailWindow([trail], selection),
    selection,
    candidates: [],
    base: null,
    impact: HOSTILE,
  })
  expect(found.chainCount).toBe(2)
  const [html, md, json] = [incidentHtml(found), incidentMarkdown(found), incidentJson(found)]
  expectInert({ html, md, json })
})

test('what services did follows from the call that AWS took on, never from one that it refused after', async () => {
  const userIdentity = {
    arn: 'arn:aws:sts::123456789012:assumed-role/agent/work',
    sessionContext: { sessionIssuer: { arn: 'arn:aws:iam::123456789012:role/agent' } },
  }
  const event = (second: number, [source, eventName]: string[], rest: JsonObject) => ({
    ...{ eventSource: `${source}.amazonaws.com`, eventName, eventType: 'AwsApiCall' },
    ...{ eventTime: `2025-12-08T09:31:0${second}Z`, eventID: `e-${second}`, userIdentity },
    ...{ awsRegion: 'eu-west-1', ...rest },
  })
  const trail = join(folder, 'refused.json')
  const Records = [
    event(0, ['cloudformation', 'DeleteStack'], { requestParameters: { stackName: 'shop' } }),
    event(1, ['iam', 'DeleteRole'], {
      requestParameters: { roleName: 'other' },
      errorCode: 'AccessDenied',
    }),
    event(2, ['dynamodb', 'DeleteTable'], {
      requestParameters: { tableName: 'orders' },
      userIdentity: { ...userIdentity, invokedBy: 'cloudformation.amazonaws.com' },
    }),
  ]
  writeFileSync(trail, JSON.stringify({ Records }))
  const selection = { since: '', until: '', resource: '', session: '' }
  const found = await incidentOfTrail({
    ...{ window: await trailWindow([trail], selection), selection },
    ...{ candidates: [], base: null, impact: null },
  })
  const chain = (name: string) => found.chains.find(({ effect }) => effect.operation === name)
  expect(chain('cloudformation:DeleteStack')?.effect.takes).toHaveLength(1)
  expect(chain('cloudformation:DeleteStack')?.did).toContain('orders')
  expect(chain('iam:DeleteRole')?.did).not.toContain('orders')
})

test('a resource or a window narrows it; nothing there is said, and is no failure', async () => {
  const [payments, nothing, wrong] = await Promise.all([
    parsed('--resource', 'payments', '--session', 's-'),
    parsed('--until', '2020-01-01'),
    reportOf('--since', 'yesterday'),
  ])
  expect(payments.chains).toMatchObject([{ effect: { fate: 'held' } }])
  expect(payments.answers[0]?.says).toContain('Nothing was harmed')
  // What held is kept so by cases alone.
  expect(payments.proposal).toMatchObject({ policy: null, casesPassed: 1 })
  expect(nothing).toMatchObject({ chains: [], factors: [], proposal: null })
  expect(nothing.answers[0]?.says).toBe('Nothing harmful is on record in this window.')
  expect(wrong.code).toBe(2)
})

test('a ledger that does not verify is said first and loudly, and the command ends with 1', async () => {
  const forged = join(folder, 'forged')
  cpSync(ledger, forged, { recursive: true })
  writeFileSync(`${forged}.vkey`, readFileSync(`${ledger}.vkey`))
  appendFileSync(join(forged, 'checkpoint'), 'x')
  const said = await seconder('incident', 'report', '--ledger', forged, '--format', 'html')
  expect(said.code).toBe(1)
  expect(said.out).toContain('THIS LEDGER DOES NOT VERIFY')
  expect(said.out.indexOf('DOES NOT VERIFY')).toBeLessThan(said.out.indexOf('What happened'))
})

/** Values that stand where others should, in a ledger that somebody wrote. */
const ODD: readonly unknown[] = [null, 7, 'x', [], {}, [null], [{}], 'y'.repeat(9_000), { a: [1] }]

test('a ledger that somebody wrote anyhow: no member of any entry or document makes it fail', async () => {
  const lines: string[] = []
  await verifyLedgerFolder(ledger, {
    onEntry: (index, text) => {
      lines[index] = text
    },
  })
  const payloads = payloadsIn(ledger)
  const selection = { since: '', until: '', resource: '', session: '' }
  let at = 0
  const odd = () => ODD[at++ % ODD.length]
  const made = async (texts: readonly string[], document: (text: string) => string) => {
    const record = new LedgerRecord(selection)
    for (const [index, text] of texts.entries()) record.take(index, text, 'ab'.repeat(32))
    const found = await incidentOfLedger({
      record,
      // Without its content no policy is loaded anew for each of them.
      payloads: (sha256) => {
        const text = payloads(sha256)
        return text === null || text.includes('"schema":') ? null : document(text)
      },
      selection,
      verified: false,
      problems: ['made up'],
      entries: texts.length,
      root: '',
      candidates: [],
      impact: null,
    })
    const forms = [incidentMarkdown(found), incidentHtml(found), incidentJson(found)]
    for (const text of forms) expect(text).toContain('DOES NOT VERIFY')
    return forms.join()
  }
  for (const [index, text] of lines.entries()) {
    for (const member of Object.keys(JSON.parse(text) as object)) {
      const other = JSON.stringify({ ...(JSON.parse(text) as object), [member]: odd() })
      const less = JSON.stringify({ ...(JSON.parse(text) as object), [member]: undefined })
      for (const instead of [other, less]) await made(lines.with(index, instead), (same) => same)
    }
  }
  const instead = (text: string): string => {
    const entry = JSON.parse(text) as { type: string }
    const outcome = { result: 'withheld', detail: 'no witness cosigned in time' }
    return entry.type === 'outcome' ? JSON.stringify({ ...entry, outcome }) : text
  }
  const withheld = await made(lines.map(instead), (same) => same)
  expect(withheld).toContain('withheld it before it was sent: no witness cosigned in time')
  expect(withheld).toContain('Nothing was harmed')
  const masked = await made(lines, (text) => {
    const document = JSON.parse(text) as { action: object; evidence: object }
    const action = {
      ...document.action,
      parameters: { Password: { masked: 'hmac-sha256:5f4dcc3b', bytes: 8 }, Note: 'tango-mike' },
    }
    const evidence = { ...document.evidence, before: { item: 'item-of-somebody' } }
    return JSON.stringify({ ...document, action, evidence })
  })
  expect(masked).not.toMatch(/5f4dcc3b|tango-mike|item-of-somebody/)
  const [document] = [
    ...new Set(lines.flatMap((text) => (JSON.parse(text) as { document?: string }).document ?? [])),
  ]
  for (const member of Object.keys(JSON.parse(payloads(document ?? '') ?? '') as object)) {
    for (const value of ODD) {
      await made(lines, (text) =>
        JSON.stringify({ ...(JSON.parse(text) as object), [member]: value }),
      )
    }
  }
})

test('no parameter, masked value, key, signature or item of anybody is in a report', () => {
  const { entries } = verified
  const acts = entries.flatMap(({ act }) => (act as { signature?: string } | undefined) ?? [])
  expect(acts.length).toBeGreaterThan(2)
  for (const text of Object.values(written)) {
    for (const { signature = '' } of acts) expect(text).not.toContain(signature.slice(60, 120))
    for (const secret of ['hmac-sha256:', 'ssh-ed25519', 'TableName', 'AKIA', 'BEGIN SSH']) {
      expect(text).not.toContain(secret)
    }
  }
})

test('from CloudTrail alone it begins with what a trail cannot know, on the sample of the repository', async () => {
  const trail = join(ROOT, 'samples', 'trail')
  const filters = ['--session', 'agent-deploy', '--resource', 'cost-explorer']
  const said = await seconder(
    'incident',
    'report',
    '--trail',
    trail,
    '--format',
    'json',
    ...filters,
  )
  expect(said.code).toBe(0)
  const found = JSON.parse(said.out) as Incident
  expect(found).toMatchObject({ madeFrom: 'trail', source: { verified: null }, chainCount: 1 })
  const [december] = found.chains
  expect(december?.effect).toMatchObject({
    operation: 'cloudformation:DeleteStack',
    at: '2025-12-08T09:31:30.000Z',
    fate: 'happened',
    madeAgain: { operation: 'cloudformation:CreateStack' },
  })
  // What a trail cannot say is said to be so, and rests on nothing.
  const unknown = december?.links.filter(({ known }) => !known)
  expect(unknown?.map(({ link }) => link)).toEqual(['policy', 'request', 'review'])
  expect(unknown?.flatMap(({ evidence }) => evidence)).toEqual([])
  expect(found.cannotKnow.join()).toContain('data events are not logged by default')
  expect(found.candidates[0]?.answers[0]).toMatchObject({ wouldHave: 'asked' })
})
