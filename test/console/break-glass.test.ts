// Break-glass in a real Chromium: an operator goes ahead alone by passkey, everybody sees it at once on every page,
// and two others read all that was done and sign that they have looked.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { signerFor } from '@seconder/cli/signing'
import type { FullBreakGlass } from '@seconder/gateway/api/break-glass'
import { STORY_REGION } from '@seconder/lab/cloud/cloud'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT } from '../path/harness.ts'
import { audit } from './audit.ts'
import {
  askForOneSetting,
  changeOneSetting,
  hasChromium,
  type Stage,
  signedInPage,
  startStage,
} from './stage.ts'

const TABLE = `arn:aws-cn:dynamodb:${STORY_REGION}:${ACCOUNT}:table/cost-explorer-settings`
const POLICY = `@id("break-glass") @reason("break-glass")
permit (principal is Agent, action in Action::"change", resource in Environment::"production")
when { context.breakGlass };`

describe.skipIf(!hasChromium)('break-glass in Chromium', () => {
  const policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  let stage: Stage
  let alice: Page
  let carol: Page
  let id: string
  const errors: string[] = []

  beforeAll(async () => {
    const lab = join(import.meta.dirname, '..', '..', 'lab', 'policies')
    cpSync(lab, policies, { recursive: true })
    writeFileSync(join(policies, 'break-glass.cedar'), POLICY)
    const teams = { alice: ['sre'], bob: ['sre'], carol: [], dave: [] }
    stage = await startStage({ policies, breakGlass: true, teams })
    alice = await signedInPage(stage, 'alice', ['bob', 'dave'])
    carol = await signedInPage(stage, 'carol', ['bob', 'dave'])
    for (const page of [alice, carol]) page.on('pageerror', (error) => errors.push(String(error)))
  })

  afterAll(async () => {
    await stage?.close()
    rmSync(policies, { recursive: true, force: true })
  })

  const banner = (page: Page) => page.getByRole('alert', { name: 'Break-glass' })

  test('an operator goes ahead alone, by passkey, within what they name', async () => {
    await askForOneSetting(stage)
    await alice.goto(stage.at('/break-glass'))
    await alice.getByText('Nobody has ever gone ahead alone.').waitFor()
    await alice.getByText('Go ahead alone, in a session of yours').click()
    await alice.getByLabel('To these things').fill(TABLE)
    await alice
      .getByLabel('Why nobody could be asked')
      .fill('The site is <b>down</b> at night\u202e')
    await alice.getByLabel('Calls').fill('2')
    const go = alice.getByRole('button', { name: 'Go ahead alone' })
    await go.click()
    await alice.getByText('no effect is chosen').waitFor()
    await alice.getByRole('checkbox', { name: 'write' }).check()
    await go.click()
    await alice.getByRole('heading', { name: 'alice goes ahead alone' }).waitFor()
    id = new URL(alice.url()).pathname.split('/').at(-1) ?? ''
    const entries = await stage.gate.entries()
    expect(entries.at(-1)).toMatchObject({ type: 'break-glass-opened', operator: 'alice' })
    expect(entries.at(-1)?.['act']).toHaveProperty('assertion')
  })

  test('everybody sees it at once on whatever page they are; what is done shows as it is done', async () => {
    await carol.goto(stage.at('/ledger'))
    await banner(carol).getByText('BREAK-GLASS IS OPEN').waitFor()
    await banner(carol).getByRole('link', { name: 'See what is done' }).click()
    await carol.getByText('It can still be used.').waitFor()
    await changeOneSetting(stage, '0.94')
    await carol.getByRole('heading', { name: 'Call 1 of 1' }).waitFor()
    await carol.getByText('→ succeeded 200').waitFor()
    await banner(carol).getByText('1 of 2 calls used').waitFor()
    await audit(carol, carol.url(), 'break-glass-open', () =>
      carol.getByText('→ succeeded 200').waitFor(),
    )
    await changeOneSetting(stage, '0.95')
    await banner(carol).getByText('AFTER-REVIEW IS DUE').waitFor()
    // What was named is used up: the next one waits for a second person like any other.
    await askForOneSetting(stage)
  })

  test('who went ahead has nothing to sign, and a cookie alone changes nothing', async () => {
    await alice.getByText('You went ahead: two others look at it.').waitFor()
    expect(await alice.getByRole('button', { name: 'Sign that I looked' }).count()).toBe(0)
    const sent = `fetch('/api/break-glass/reviews', { method: 'POST', credentials: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ breakGlass: '${id}', used: 2, comment: 'looked' }) }).then(({ status }) => status)`
    expect(await carol.evaluate(sent)).toBe(400)
    expect((await full()).reviews).toEqual([])
  })

  test('H2 a page that is shown something else than was done signs nothing', async () => {
    const shown = await full()
    const calls = Object.entries(shown.calls).map(([sha256, text]) => [
      sha256,
      text.replaceAll('0.94', '0.93'),
    ])
    await carol.route(`**/api/break-glass/${id}`, (route) =>
      route.fulfill({ json: { ...shown, calls: Object.fromEntries(calls) } }),
    )
    await carol.goto(stage.at(`/break-glass/${id}`))
    await carol.getByText('do not sign it').waitFor()
    expect(await carol.getByRole('button', { name: 'Sign that I looked' }).count()).toBe(0)
    await carol.unroute(`**/api/break-glass/${id}`)
  })

  test('a second person reads all of it and signs; a third one too, and it is closed', async () => {
    await carol.goto(stage.at('/'))
    await banner(carol).getByText('alice went ahead alone, 2 calls: 0 of 2').waitFor()
    await banner(carol).getByRole('link', { name: 'Read and sign' }).click()
    await carol.getByRole('heading', { name: 'Call 2 of 2' }).waitFor()
    const text = await carol.getByRole('article').textContent()
    for (const words of ['dynamodb:UpdateItem', '0.94', '0.95', TABLE, '2 calls made.'])
      expect(text).toContain(words)
    const [claim] = await carol.locator('.claim blockquote').allTextContents()
    expect(claim).toBe('The site is <b>down</b> at night\\u{202e}')
    await audit(carol, carol.url(), 'break-glass-due', () =>
      carol.getByRole('heading', { name: 'Call 2 of 2' }).waitFor(),
    )
    const sign = carol.getByRole('button', { name: 'Sign that I looked' })
    expect(await sign.isDisabled()).toBe(true)
    await carol.getByLabel('What you found').fill('One setting, twice. As it should be.')
    await sign.click()
    await carol.getByText('You have looked. One more person must.').waitFor()
    await banner(carol).getByText('1 of 2 others have looked').waitFor()

    const bob = await signerFor(stage.gate.client, stage.gate.keys.get('bob'))
    const read = await readBreakGlass(stage.gate.client, id)
    await reviewBreakGlass(stage.gate.client, bob, read, 'Seen.')
    await carol.getByText('Two others have looked.').waitFor()
    await banner(carol).waitFor({ state: 'detached' })
    const reviews = (await stage.gate.entries()).filter(
      ({ type }) => type === 'break-glass-reviewed',
    )
    expect(reviews.map(({ reviewer }) => reviewer)).toEqual(['carol', 'bob'])
    await carol.getByRole('link', { name: 'Break-glass', exact: true }).click()
    await carol.getByText('looked at by carol, bob').waitFor()
    await audit(carol, stage.at('/break-glass'), 'break-glasses', () =>
      carol.getByText('✓ looked at').waitFor(),
    )
    expect(errors).toEqual([])
  })

  async function full(): Promise<FullBreakGlass> {
    return stage.gate.client.get(`/api/break-glass/${id}`)
  }
})
