// "What would it take?" in a real Chromium: asked by keyboard, kept in the address, answered in words.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCandidate, signEpoch } from '@seconder/cli/activating'
import { signerFor } from '@seconder/cli/signing'
import type { KeptDryRun } from '@seconder/gateway/dry-run/desk'
import { sha256Hex } from '@seconder/gateway/lib/canonical-json'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT, Harness } from '../path/harness.ts'
import { auditHere } from './audit.ts'
import { chromiumBrowser, enrol, hasChromium, PATIENCE_MS, withAuthenticator } from './stage.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const TABLE = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const POLICIES = `
@id("destroying") @reason("what is destroyed wants security, or two of dba")
permit (principal is Agent, action in Action::"destroy", resource in Environment::"production")
when { context.approvedBy.containsAny(["security:1", "dba:2"]) };
@id("look") permit (principal is Agent, action in Action::"look", resource);`

describe.skipIf(!hasChromium)('the policies in Chromium', () => {
  let folder: string
  let gate: Harness
  let browser: Browser
  let page: Page
  const errors: string[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'seconder-asking-'))
    copyFileSync(join(ROOT, 'policies', 'schema.cedarschema'), join(folder, 'schema.cedarschema'))
    writeFileSync(join(folder, 'asking.cedar'), POLICIES)
    gate = await Harness.start({ upstream: 'http://127.0.0.1:9', policies: folder })
    browser = await chromiumBrowser()
    page = await browser.newPage({ extraHTTPHeaders: await gate.readerHeaders() })
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => errors.push(String(error)))
  })

  afterAll(async () => {
    await browser?.close()
    await gate?.stop()
    rmSync(folder, { recursive: true })
  })

  test('by keyboard: a call is asked about, and the least ways through are said', async () => {
    await page.goto(`${gate.running.consoleUrl.replace('127.0.0.1', 'localhost')}/policies`)
    await page.getByRole('heading', { name: 'What would it take?' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('dynamodb:')
    await page
      .locator('datalist option[value="dynamodb:DeleteTable"]')
      .waitFor({ state: 'attached' })
    await page.keyboard.type('DeleteTable')
    await page.keyboard.press('Tab')
    await page.keyboard.type(TABLE)
    await page.keyboard.press('Enter')
    const answer = page.locator('.answer')
    await answer.getByText('It takes 1 of security, or 2 of dba.').waitFor()
    const text = await answer.textContent()
    for (const words of [
      'PRODUCTION',
      'destroy',
      'dynamodb:DeleteTable',
      TABLE,
      'nothing was done',
    ]) {
      expect(text).toContain(words)
    }
    await answer.getByText('destroying permits').click()
    expect(await answer.locator('pre').textContent()).toContain('containsAny')
    expect(new URL(page.url()).searchParams.get('resource')).toBe(TABLE)
    await auditHere(page, 'what-it-takes')
  })

  test('the address is the question: reloaded, sent on, gone back from', async () => {
    await page.reload()
    await page.getByText('It takes 1 of security').waitFor()
    await page.getByLabel('A call, service:Operation').fill('dynamodb:GetItem')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByText('It would pass. Nobody is asked.').waitFor()
    await page.goBack()
    await page.getByText('It takes 1 of security').waitFor()
    expect(await page.getByLabel('A call, service:Operation').inputValue()).toBe(
      'dynamodb:DeleteTable',
    )
  })

  test('what cannot be read is said in words, and what is said is not markup', async () => {
    await page.getByLabel('A call, service:Operation').fill('iam:PutRolePolicy')
    await page.getByLabel('On what').fill(`arn:aws:iam::${ACCOUNT}:role/<img/src=x>`)
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByText('It would be denied, whoever approves.').waitFor()
    expect(await page.locator('.answer img').count()).toBe(0)
    expect(await page.locator('.answer').textContent()).toContain('role/<img/src=x>')
    await page.getByLabel('A call, service:Operation').fill('dynamodb:Nothing')
    await page.getByRole('button', { name: 'Ask' }).click()
    const alert = page.getByRole('alert')
    await alert.getByText('`dynamodb` has no operation `Nothing`').waitFor()
    expect(await alert.textContent()).toContain('nothing was done')
    expect(errors).toEqual([])
  })

  test('H3 what the files would change is read line by line, and signed with a passkey for exactly that', async () => {
    const file = join(folder, 'more.cedar')
    writeFileSync(file, '@id("more") forbid (principal, action == Action::"stop", resource);\n')
    const at = (path: string) => gate.running.consoleUrl.replace('127.0.0.1', 'localhost') + path
    const context = await browser.newContext({ extraHTTPHeaders: await gate.readerHeaders() })
    const own = await context.newPage()
    own.setDefaultTimeout(PATIENCE_MS)
    await withAuthenticator(own)
    await enrol({ gate, at }, own, 'carol', ['alice', 'bob'])
    await context.setExtraHTTPHeaders({})
    await own.goto(at('/policies'))
    await own.getByRole('button', { name: 'Sign in with passkey' }).click()
    const next = own.getByRole('region', { name: 'Next epoch' })
    await next.getByText('forbid (principal, action == Action::"stop", resource);').waitFor()
    expect(await next.locator('.line-comes').first().textContent()).toContain('+ @id("more")')
    expect(await next.locator('.line-goes').count()).toBe(0)
    await next.getByText('calls since').waitFor()
    await auditHere(own, 'next-epoch')
    await aLieIsNotSigned({ gate, page: own, next })
    await next.getByRole('button', { name: 'Sign with passkey' }).click()
    await next.getByText('signed by carol').waitFor()
    expect((await gate.client.facts()).epoch).toBe(1)
    const { candidate } = await readCandidate(gate.client)
    await signEpoch(gate.client, await signerFor(gate.client, gate.keys.get('alice')), candidate)
    await next.waitFor({ state: 'detached' })
    expect((await gate.client.facts()).epoch).toBe(2)
    const signed = (await gate.entries()).find(({ epoch }) => epoch === 2)?.['acts']
    const statements = (signed as { statement: string }[]).map(({ statement }) => statement)
    // The page names the dry run that it showed; whoever was shown none names none.
    expect(statements.map((text) => 'dryRun' in JSON.parse(text)).sort()).toEqual([false, true])
    await context.close()
  })
})

interface Lying {
  readonly gate: Harness
  readonly page: Page
  readonly next: Locator
}

/** A dry run that is not what it is named, or is of another version, is not shown, and nothing is signed beside it. */
async function aLieIsNotSigned({ gate, page, next }: Lying) {
  const address = '**/api/epochs/candidate/dry-run*'
  const sign = next.getByRole('button', { name: 'Sign with passkey' })
  const made = await gate.client.get<KeptDryRun>('/api/epochs/candidate/dry-run')
  const lie = made.text.replace(/("version":")[0-9a-f]{64}"/, `$1${'ab'.repeat(32)}"`)
  for (const [named, words] of [
    [false, 'another dry run than the one it names'],
    [true, 'is of another version'],
  ] as const) {
    const digest = named ? sha256Hex(lie) : made.digest
    await page.route(address, (route) => route.fulfill({ json: { text: lie, digest } }))
    await page.reload()
    await next.getByText(words).waitFor()
    expect(await sign.isDisabled()).toBe(true)
    expect(await next.getByText('calls since').count()).toBe(0)
    await page.unroute(address)
  }
  await next.getByRole('button', { name: 'Try again' }).click()
  await next.getByText('calls since').waitFor()
}
