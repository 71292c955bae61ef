// The December demo as its users run it: a process with --json. What it claims must be measured, and
// where policy lets the deletion through, the safe run must be seen to fail.
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const DEMO = join(ROOT, 'lab', 'src', 'demo', 'main.ts')

interface Ran {
  readonly code: number | null
  readonly output: string
  readonly complaints: string
  readonly figures: Record<string, Record<string, unknown>>
}

let folder: string
let real: Ran
let open: Ran

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seconder-demo-test-'))
  const policies = join(folder, 'open')
  await mkdir(policies)
  await copyFile(
    join(ROOT, 'lab', 'policies', 'schema.cedarschema'),
    join(policies, 'schema.cedarschema'),
  )
  await writeFile(
    join(policies, 'open.cedar'),
    '@id("open")\npermit (principal, action, resource);\n',
  )
  ;[real, open] = await Promise.all([run('real'), run('open', '--policies', policies)])
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function run(name: string, ...args: readonly string[]): Promise<Ran> {
  const json = join(folder, `${name}.json`)
  const reports = join(folder, `${name}-reports`)
  const given = ['--json', json, '--reports', reports, ...args]
  const flags = ['--disable-warning=ExperimentalWarning', DEMO, ...given]
  const { FORCE_COLOR: _colour, ...env } = process.env
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const text = await readFile(json, 'utf8').catch(() => '{}')
  return { code, output, complaints, figures: JSON.parse(text) }
}

test('without the gate customers get errors, with it none does, and every figure is measured', () => {
  expect(real).toMatchObject({
    code: 0,
    complaints: '',
    figures: {
      unsafe: { stackDeleted: true, bugFixed: false, objectsBefore: 13, objectsLost: 13 },
      safe: { failedProbes: 0, outageSeconds: 0, stackDeleted: false, bugFixed: true },
      ledger: { verified: true, problems: [] },
    },
  })
  const { unsafe, safe, ledger } = real.figures
  expect(unsafe?.['failedProbes']).toBeGreaterThan(0)
  expect(unsafe?.['outageSeconds']).toBeGreaterThan(0)
  expect(safe?.['totalProbes']).toBeGreaterThan(10)
  // At least: start, epoch, session, reads, two requests, two reviews, intent and outcome.
  expect(ledger?.['entries']).toBeGreaterThan(10)
})

test('both requests were answered by somebody other than the operator, each as its document asks', () => {
  expect(real.figures['safe']?.['requests']).toMatchObject([
    {
      operation: 'cloudformation:DeleteStack',
      state: 'changes_requested',
      closedBy: 'bob',
      requirement: expect.arrayContaining(['sre:1']),
      reviewers: [{ reviewer: 'bob', verdict: 'request_changes' }],
    },
    {
      operation: 'dynamodb:UpdateItem',
      state: 'approved',
      requirement: ['any:1'],
      reviewers: [{ reviewer: 'bob', verdict: 'approve' }],
    },
  ])
})

test('the story fits 80 columns, says who did what, and shows what would have been lost', () => {
  const lines = real.output.split('\n')
  expect(lines.filter((line) => line.length > 79)).toEqual([])
  expect(real.output).not.toContain('\u001b')
  for (const told of [
    /customers get .+ for an answer +x+/,
    /operator +restores its copy after [0-9.]+ s of errors/,
    /DeleteStack cost-explorer → held, r-/,
    /bucket cost-explorer-data +13 objects/,
    /table cost-explorer-settings +13 items/,
    /reviewer +bob signs: request changes/,
    /reviewer +bob signs: this, once/,
  ]) {
    expect(real.output).toMatch(told)
  }
})

test('a policy that permits everything makes the safe run fail, and the demo says so', () => {
  expect(open).toMatchObject({
    code: 1,
    complaints: '',
    figures: {
      safe: { stackDeleted: true, bugFixed: false, objectsLost: 13, requests: [] },
      ledger: { verified: true },
    },
  })
  expect(open.figures['safe']?.['failedProbes']).toBeGreaterThan(0)
  expect(open.output).toContain('with Seconder the stack was deleted')
})

const reportOf = (name: string, run: string, form: string) =>
  readFile(join(folder, `${name}-reports`, run, `incident.${form}`), 'utf8')

test('the run without a gate ends with a report from the trail alone: what went, what was missing, what would have asked', async () => {
  const report = await reportOf('real', 'without', 'md')
  expect(real.output).toContain('real-reports/without/incident.html')
  for (const said of [
    /What happened\.\*\* The role `agent-deploy` called `cloudformation:DeleteStack` on `stack cost-explorer`/,
    /made it again [0-9.]+ s later/,
    /What was touched\.\*\* .*table `cost-explorer-settings`.*bucket `cost-explorer-data`/,
    /no gate stood between them and AWS; the trail names no second person/,
    /What would have stopped it\.\*\* The shipped policies: it would have been held until/,
    /Said by people, not in the record\.\*\* Customers got errors/,
  ]) {
    expect(report).toMatch(said)
  }
  // It begins with the answer, and with what a trail cannot know; then the evidence.
  expect(report.indexOf('What happened')).toBeLessThan(report.indexOf('What a trail alone'))
  expect(report.indexOf('What a trail alone')).toBeLessThan(report.indexOf('Contributing factors'))
})

test('the run with a gate ends with a report from its ledger: nothing was harmed, and what stopped it', async () => {
  const report = await reportOf('real', 'with', 'md')
  for (const said of [
    /verified before this was written/,
    /What happened\.\*\* Nothing was harmed: `cloudformation:DeleteStack`/,
    /Only `dynamodb:UpdateItem` on `table cost-explorer-settings` \(signed by `bob`\)/,
    /bucket `cost-explorer-data` \(13 objects/,
    /What stopped it\.\*\* Policy asked for 2 people/,
    /> “Deleting the stack and recreating it is the cleanest fix\.”/,
  ]) {
    expect(report).toMatch(said)
  }
  for (const run of ['with', 'without']) {
    const html = await reportOf('real', run, 'html')
    expect(html).not.toMatch(/<script|\s(src|href)=/i)
    expect(html).toContain('prefers-color-scheme:dark')
  }
})

test('where the policy permits everything the report says so, and proposes the rule that was missing', async () => {
  const report = await reportOf('open', 'with', 'md')
  expect(report).toMatch(/policy `open` allowed it without asking anybody/i)
  expect(report).toMatch(/^unless \{ context\.approvedBy\.containsAll\(\["any:1"\]\) \};$/m)
  expect(report).toMatch(/epoch 1 with the proposed change \| 1 \| asked/)
})
