// Replay and Roles in a real Chromium: what a person drops is read in the browser, by the code of the command
// line, and goes nowhere. What is expected is what that code says under Node of the same files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type RulesContent, rulesOf } from '@seconder/replay/judge/rules'
import { openTrail, reportOn } from '@seconder/replay/replay'
import type { Report } from '@seconder/replay/report/report'
import { auditOf } from '@seconder/replay/roles/audit'
import type { Audit } from '@seconder/replay/roles/finding'
import type { GateFacts } from '@seconder/replay/roles/gate'
import { matcherOf } from '@seconder/replay/roles/matcher'
import { readOrganization } from '@seconder/replay/roles/organization'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { trailUse } from '@seconder/replay/roles/trail-use'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Harness } from '../path/harness.ts'
import { auditHere, shot } from './audit.ts'
import { chromiumBrowser, hasChromium, PATIENCE_MS } from './stage.ts'

const SAMPLES = join(import.meta.dirname, '..', '..', 'samples')
const TRAIL = join(SAMPLES, 'trail')
const EXPORT = join(SAMPLES, 'authz.json')
const HOSTILE = `"><img src=x onerror=alert(1)>\u202e`

/** An organization whose account may delete no table, as docs/roles.md makes its export. */
function organization(): Buffer {
  const Statement = [{ Effect: 'Deny', Action: 'dynamodb:DeleteTable', Resource: '*' }]
  const Content = JSON.stringify({ Version: '2012-10-17', Statement })
  const targets = [
    { Id: 'r-abcd', ParentId: null, Policies: ['p-FullAWSAccess', 'p-tables'] },
    { Id: '123456789012', ParentId: 'r-abcd', Policies: ['p-FullAWSAccess'] },
  ]
  const Policies = [{ Id: 'p-tables', Name: 'tables', Type: 'SERVICE_CONTROL_POLICY', Content }]
  return Buffer.from(
    JSON.stringify({ ManagementAccountId: '999999999999', Policies, Targets: targets }),
  )
}

/** The gate of the page, as the command line has it from seconder.yaml. */
function gateOf(content: RulesContent): GateFacts {
  return {
    configured: true,
    environments: content.environments,
    roles: Object.values(content.roles).map(({ arn }) => arn),
    own: null,
    protect: (content.protect ?? []).filter(({ arn }) => arn.startsWith('arn:')),
    accounts: content.ownAccounts ?? [],
  }
}

describe.skipIf(!hasChromium)('reports in Chromium', () => {
  let gate: Harness
  let browser: Browser
  let page: Page
  let content: RulesContent & { readonly epoch: number }
  const errors: string[] = []
  const asked: { readonly path: string; readonly method: string; readonly sent: number }[] = []

  beforeAll(async () => {
    gate = await Harness.start({ upstream: 'http://127.0.0.1:9' })
    content = await gate.client.get('/api/policies')
    browser = await chromiumBrowser()
    // The page's own policy holds here: nothing bypasses it but axe, which is put in by the debugger.
    page = await browser.newPage({ extraHTTPHeaders: await gate.readerHeaders() })
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    page.on('request', (request) => {
      const { pathname, search, origin } = new URL(request.url())
      const sent = request.postDataBuffer()?.length ?? 0
      asked.push({
        path: origin === origin_() ? pathname + search : request.url(),
        method: request.method(),
        sent,
      })
    })
  })

  afterAll(async () => {
    await browser?.close()
    await gate?.stop()
  })

  const origin_ = () => new URL(gate.running.consoleUrl.replace('127.0.0.1', 'localhost')).origin
  const chosen = (label: string) => page.locator(`input[aria-label="${label}"]`)

  test('a folder of CloudTrail is replayed here as the command line replays it', async () => {
    await page.goto(`${origin_()}/replay`)
    await page.getByText('Drop a folder or files of CloudTrail').waitFor()
    await auditHere(page, 'replay-empty')
    await chosen('Choose a folder').setInputFiles(TRAIL)
    await page.getByText('What this trail cannot prove').waitFor({ timeout: PATIENCE_MS })
    const report = (await saved('JSON')) as Report
    const trail = await openTrail([TRAIL], { workers: 1 })
    const expected = reportOn(trail, { rules: await rulesOf(content, report.policy.from) })
    trail.close()
    expect(report).toEqual(JSON.parse(JSON.stringify(expected)))
    expect(report.policy.from).toBe('epoch 1 of this gate')
    await page.getByText('December would have been asked at this event').waitFor()
    const text = (await page.locator('main').textContent()) ?? ''
    const places = ['cannot prove', 'December would have', 'reviews a week', 'By principal'].map(
      (words) => text.indexOf(words),
    )
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
    await auditHere(page, 'replay')
    await expectPrints('replay-print')
  })

  test('a report outlives a look at another page, and is a page of its own to keep', async () => {
    await page.getByRole('link', { name: 'Policies' }).click()
    await page.getByRole('heading', { name: 'Policies' }).waitFor()
    await page.getByRole('link', { name: 'Replay' }).click()
    const html = String(await saved('a page'))
    expect(html).toContain('December would have been asked at this event')
    expect(html).not.toMatch(/<script/i)
    await expectFitsPaper(html, 'replay-page')
  })

  test('gzip, a name full of markup, a cut file: shown as what they are', async () => {
    await page.getByRole('button', { name: 'Other files' }).click()
    const event = {
      eventTime: '2025-12-02T10:00:00Z',
      eventID: 'dddddddd-0000-4000-8000-000000000001',
      eventType: 'AwsApiCall',
      eventSource: 'dynamodb.amazonaws.com',
      eventName: 'DeleteTable',
      awsRegion: 'eu-west-1',
      recipientAccountId: '123456789012',
      userAgent: HOSTILE,
      requestParameters: { tableName: HOSTILE },
      userIdentity: { type: 'IAMUser', arn: HOSTILE, accountId: '123456789012' },
    }
    const packed = gzipSync(JSON.stringify({ Records: [event] }))
    const eventID = (number: number) => `dddddddd-0000-4000-8000-00000000000${number}`
    const packedLine = (number: number) =>
      gzipSync(`${JSON.stringify({ ...event, eventID: eventID(number) })}\n`)
    await chosen('Choose files').setInputFiles([
      file('one.json.gz', packed),
      file('cut.json.gz', packed.subarray(0, packed.length - 30)),
      file('lines.ndjson', Buffer.from(`${JSON.stringify(event)}\n`)),
      file('several.ndjson.gz', Buffer.concat([3, 4, 5].map(packedLine))),
    ])
    await page.getByText('Files that are not whole').waitFor({ timeout: PATIENCE_MS })
    const report = (await saved('JSON')) as Report
    expect([report.unique, report.reviewed, report.trail.files]).toEqual([4, 4, 4])
    expect(report.trail.faults.map(({ path, fault }) => `${path} ${fault}`)).toEqual([
      'cut.json.gz gzip',
    ])
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('main').textContent()).not.toContain('\u202e')
  })

  test('what is no trail, and what is no export, is said in words', async () => {
    await page.getByRole('button', { name: 'Other files' }).click()
    await chosen('Choose files').setInputFiles([file('notes.json', Buffer.from('{"a": 1}'))])
    const alert = page.getByRole('alert')
    await alert.getByText('there is no event of CloudTrail in what was dropped').waitFor()
    expect(await alert.textContent()).toContain('Next: each file is {"Records"')
    await alert.getByRole('button', { name: 'Try again' }).click()
    await dropped(join(SAMPLES, '..', 'docs', 'screens'))
    await alert.getByText('no file of a trail was among them').waitFor()
    await alert.getByRole('button', { name: 'Try again' }).click()
    await dropped(TRAIL)
    await page.getByText('December would have been asked').waitFor({ timeout: PATIENCE_MS })
    await page.goto(`${origin_()}/roles`)
    await chosen('Choose files').setInputFiles([file('a.json', Buffer.from('{"UserDetailList"'))])
    await alert.getByText('there is no user or role in what was dropped').waitFor()
    await alert.getByRole('button', { name: 'Try again' }).click()
    await chosen('Choose files').setInputFiles([file('a.json.gz', gzipSync('{}').subarray(0, 12))])
    await alert.getByText('`a.json.gz` cannot be read to its end').waitFor()
    await alert.getByRole('button', { name: 'Try again' }).click()
  })

  test('an export that is dropped is audited here as the command line audits it', async () => {
    await auditHere(page, 'roles-empty')
    await page.getByLabel('Agents beside').fill('agent-*, *-bot')
    await dropped(EXPORT)
    await page.getByText('Who can become whom').first().waitFor({ timeout: PATIENCE_MS })
    const audit = (await saved('JSON')) as Audit
    const isAgent = matcherOf(['agent-*', '*-bot'])
    const { audit: expected } = auditOf({
      estate: readEstate([{ name: 'authz.json', bytes: readFileSync(EXPORT) }]),
      organization: null,
      gate: gateOf(content),
      isAgent: (arn, name) => isAgent(arn) || isAgent(name),
      isExcepted: () => false,
      now: new Date().toISOString(),
    })
    expect(audit).toEqual(JSON.parse(JSON.stringify(expected)))
    const [first] = await page.locator('.finding summary').allTextContents()
    expect(first).toContain('critical')
    expect(first).toContain('agent')
    await expectFitsPaper(String(await saved('a page')), 'roles-page')
    await page.getByText('to paste').first().click()
    await auditHere(page, 'roles')
    await expectPrints('roles-print')
  })

  test('an organizations export and a trail that are chosen beside it are read with it', async () => {
    await page.getByRole('button', { name: 'Other files' }).click()
    await page.getByLabel('SCPs and RCPs').setInputFiles([file('org.json', organization())])
    await page.getByLabel('A trail, for what is not used').setInputFiles(TRAIL)
    await dropped(EXPORT)
    await page.getByText('Who can become whom').first().waitFor({ timeout: PATIENCE_MS })
    const audit = (await saved('JSON')) as Audit
    const trail = await openTrail([TRAIL], { workers: 1 })
    expect(readOrganization('org.json', organization()).faults).toEqual([])
    const { audit: expected } = auditOf({
      estate: readEstate([{ name: 'authz.json', bytes: readFileSync(EXPORT) }]),
      organization: readOrganization('org.json', organization()),
      trail: trailUse(trail.store),
      gate: gateOf(content),
      isAgent: () => false,
      isExcepted: () => false,
      now: new Date().toISOString(),
    })
    trail.close()
    expect(audit).toEqual(JSON.parse(JSON.stringify(expected)))
  })

  test('by keyboard: findings are walked and opened', async () => {
    await page.keyboard.press('j')
    const opened = () =>
      page.evaluate<boolean>("document.activeElement?.closest('details')?.open ?? null")
    await expect.poll(opened).toBe(true)
    await page.keyboard.press('Enter')
    await expect.poll(opened).toBe(false)
  })

  test('nothing of a file was sent, the worker may connect to nothing, no script failed', async () => {
    const paths = asked.filter(({ method, sent }) => method !== 'GET' || sent > 0)
    expect(paths).toEqual([])
    // Addresses alone could carry something: they are those of the console and of its parts.
    const known = /^\/(assets\/[\w.-]+|api\/[a-z/-]+(\?state=\w+)?|icon\.svg|replay|roles)$/
    expect(asked.map(({ path }) => path).filter((path) => !known.test(path))).toEqual([])
    const worker = asked.find(({ path }) => path.includes('report-worker'))?.path ?? ''
    const policyOf = async (path: string) =>
      (
        await fetch(gate.running.consoleUrl + path, { headers: { accept: 'text/html' } })
      ).headers.get('content-security-policy')
    expect(await policyOf(worker)).toContain("connect-src 'none'")
    expect(await policyOf('/replay')).not.toContain('wasm')
    expect(errors).toEqual([])
  })

  function file(name: string, buffer: Buffer) {
    return { name, mimeType: 'application/octet-stream', buffer }
  }

  async function expectPrints(name: string): Promise<void> {
    await page.setViewportSize({ width: 720, height: 1018 })
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    await shot(page, name)
    const needed = await page.evaluate<number>('document.documentElement.scrollWidth')
    expect(needed, `${name} on paper`).toBeLessThanOrEqual(720)
    await page.emulateMedia({ media: 'screen', colorScheme: 'light' })
    await page.setViewportSize({ width: 1200, height: 900 })
  }

  /** The page in one file, on A4 with margins: nothing is cut at its right. */
  async function expectFitsPaper(html: string, name: string): Promise<void> {
    const paper = await browser.newPage({ viewport: { width: 720, height: 1018 } })
    await paper.setContent(html)
    await paper.emulateMedia({ media: 'print', colorScheme: 'dark' })
    await shot(paper, `${name}-print`)
    const needed = await paper.evaluate<number>('document.documentElement.scrollWidth')
    expect(needed, `${name} on paper`).toBeLessThanOrEqual(720)
    await paper.close()
  }

  /** As a person drops it: a file or a folder of the machine, let go over the page. */
  async function dropped(path: string): Promise<void> {
    const session = await page.context().newCDPSession(page)
    const { x = 0, y = 0 } = (await page.locator('.drop').boundingBox()) ?? {}
    const data = { items: [], files: [path], dragOperationsMask: 1 }
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: x + 40, y: y + 40, data })
    }
  }

  /** What a button saves: JSON as its value. */
  async function saved(what: 'JSON' | 'a page'): Promise<unknown> {
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: `Save as ${what}` }).click()
    const text = readFileSync(await (await download).path(), 'utf8')
    return what === 'JSON' ? JSON.parse(text) : text
  }
})
