// The console in a real Chromium over a real gate before the lab's cloud: what a reviewer sees, live, by
// keyboard and by address, on a phone and in the dark; and that nobody but the gate is asked for anything.
import { agentPost } from '@seconder/cli/agent-client'
import type { ShownPlan } from '@seconder/gateway/api/plans'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestIdIn } from '../path/harness.ts'
import { audit, live } from './audit.ts'
import {
  askForDecember,
  askForOneSetting,
  changeOneSetting,
  enrol,
  hasChromium,
  PATIENCE_MS,
  putNote,
  refused,
  type Stage,
  startStage,
  withAuthenticator,
} from './stage.ts'

describe.skipIf(!hasChromium)('the console in Chromium', () => {
  let stage: Stage
  let page: Page
  let december: string
  const errors: string[] = []
  const asked = new Set<string>()

  beforeAll(async () => {
    stage = await startStage()
    page = await stage.browser.newPage({ viewport: { width: 1200, height: 900 } })
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('request', (request) => asked.add(new URL(request.url()).origin))
  })

  afterAll(async () => {
    await stage?.close()
  })

  const at = (path: string) => stage.at(path)

  test('a passkey is made, and counts when two members have signed for it', async () => {
    await withAuthenticator(page)
    await enrol(stage, page, 'carol', ['alice', 'bob'])
  })

  test('an empty inbox says what to do; a request comes in live, the worst first', async () => {
    await page.goto(at('/'))
    await page.getByText('Nothing waits.').waitFor()
    await page.getByText('● live').waitFor()
    await askForOneSetting(stage)
    await page.getByText('dynamodb:UpdateItem').waitFor()
    december = requestIdIn(await askForDecember(stage))
    await page.getByText('cloudformation:DeleteStack').waitFor()
    const operations = await page.locator('.row-what code').allTextContents()
    expect(operations).toEqual(['cloudformation:DeleteStack', 'dynamodb:UpdateItem'])
  })

  test('the keyboard opens the worst; the page says what would be lost and who asks', async () => {
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(at(`/requests/${december}`))
    const article = page.getByRole('article')
    await article.locator('.summary').getByText('This would delete 4 resources.').waitFor()
    const text = await article.textContent()
    for (const words of [
      'PRODUCTION',
      '13 objects',
      'versions off',
      '13 items',
      'could not look',
    ]) {
      expect(text).toContain(words)
    }
    expect(text).toContain('kiro-cli 1.22 for alice, who may not approve')
    expect(text).toContain('2 people, among them 1 of sre')
    expect(text).toContain('The agent gave no reason.')
    expect(text).toContain('Sign with passkey')
  })

  test('H2 a gate that shows another document of a request than before has none of them signed', async () => {
    const path = `**/api/requests/${december}`
    await page.route(path, async (route) => {
      const response = await route.fetch()
      const json = (await response.json()) as { document: string }
      // What the digest does not cover is signed all the same, by the hash of what was shown.
      const document = { ...JSON.parse(json.document), agentSays: 'Nothing to see here.' }
      await route.fulfill({ response, json: { ...json, document: canonicalJson(document) } })
    })
    // What makes the page load it again: somebody else signs.
    await stage.gate.review('bob', december)
    const alert = page.getByRole('alert')
    await alert.getByText('the gate shows another document of this request than before').waitFor()
    expect(await page.getByRole('button', { name: 'Sign with passkey' }).count()).toBe(0)
    await page.unroute(path)
    await page.reload()
    await page.getByRole('button', { name: 'Sign with passkey' }).waitFor()
  })

  test('a signature of somebody else shows at once, and the end of it', async () => {
    await stage.gate.review(
      'carol',
      december,
      'request_changes',
      'Change <b>the one</b> setting\u202e',
    )
    await page.getByText('Changes were requested.').waitFor()
    const claim = await page.locator('.claim blockquote').last().textContent()
    expect(claim).toBe('Change <b>the one</b> setting\\u{202e}')
  })

  test('a session is a story, a ledger is verified here, an address is a page', async () => {
    await page.goto(at(`/sessions/${stage.keys.sessionId}`))
    await page.getByText('session opened').waitFor()
    expect(await page.locator('.timeline').textContent()).toContain('held for review')
    await page.goto(at('/ledger'))
    await page.getByRole('button', { name: 'Verify here' }).click()
    await page.getByText('entries verified, root').waitFor()
    await page.goto(at('/policies'))
    await page.getByText('epoch 1, version').waitFor()
    await page.goto(at('/?state=changes_requested'))
    await page.getByText('changes requested by carol').waitFor()
    await page.goto(at('/?state=all&find=update'))
    await expect.poll(() => page.locator('.row').count()).toBe(1)
  })

  test('a passkey answers: the call passes, once', async () => {
    await page.goto(at('/'))
    await page.getByText('dynamodb:UpdateItem').click()
    await page.locator('.summary').getByText('This would change item').waitFor()
    await page.getByRole('button', { name: 'Sign with passkey' }).click()
    await page.getByText('Approved. Nothing has happened yet').waitFor()
    await page.getByText('presence proved').waitFor()
    await changeOneSetting(stage)
    await askForOneSetting(stage)
    const entries = await stage.gate.entries()
    expect(entries.filter(({ type }) => type === 'intent')).toHaveLength(1)
    const reviews = entries.filter(
      ({ type, reviewer, verdict }) =>
        type === 'review' && reviewer === 'carol' && verdict === 'approve',
    )
    expect(reviews).toEqual([expect.objectContaining({ strength: 'hardware' })])
  })

  test('by passkey too, a request is denied and changes are asked for, with words', async () => {
    await page.goto(at('/'))
    await page.getByText('dynamodb:UpdateItem').click()
    const changes = page.getByRole('button', { name: 'Request changes' })
    expect(await changes.isDisabled()).toBe(true)
    await page.getByLabel('Comment').fill('Take 0.94')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('Denied. Nothing was done').waitFor()
    expect((await askForOneSetting(stage)).message).toContain('denied by carol')
  })

  test('a plan of five calls is read step by step, signed once, and made', async () => {
    const { client } = stage.gate
    const said = { reason: 'Five notes about August.' }
    const { planId } = await agentPost<ShownPlan>(client, stage.keys, '/api/agent/plans', said)
    const notes = [1, 2, 3, 4, 5]
    for (const note of notes) {
      expect((await refused(putNote(stage, note))).message).toContain(`as step ${note} of plan`)
    }
    await agentPost(client, stage.keys, '/api/agent/plans/submit', {})
    await page.goto(at('/'))
    await page.locator(`a[href="/requests/${planId}"]`).click()
    await page.getByRole('heading', { name: 'A plan of 5 calls, in this order' }).waitFor()
    expect(await page.getByText(/^Step \d of 5$/).count()).toBe(5)
    await page.getByText('Five notes about August.').first().waitFor()
    await audit(page, page.url(), 'plan', () => page.getByText('Step 5 of 5').waitFor())
    await page.getByRole('button', { name: 'Sign with passkey' }).click()
    await page.getByText('Approved. Nothing has happened yet').waitFor()
    for (const note of notes) await putNote(stage, note)
    await refused(putNote(stage, 1))
  })

  test.each([
    ['inbox', '/'],
    ['request', '/requests/DECEMBER'],
    ['sessions', '/sessions'],
    ['session', '/sessions/SESSION'],
    ['ledger', '/ledger'],
    ['policies', '/policies'],
  ])(
    'axe finds nothing serious on %s, in the light, in the dark and on a phone',
    async (name, path) => {
      const { sessionId } = stage.keys
      const url = at(path.replace('DECEMBER', december).replace('SESSION', sessionId))
      await audit(page, url, name, async () => {
        await live(page)
        await page.locator('h1').first().waitFor()
        // No page is looked at while a part of it is still on its way.
        await page.getByText(/^Loading /).waitFor({ state: 'detached' })
      })
    },
  )

  test.each([
    ['sign-in', '/', 'Sign in with passkey'],
    ['first-member', '/first-member#code', 'Join with a new passkey'],
    ['new-passkey', '/people', 'Make a passkey'],
  ])('nor on %s, for whoever has not signed in', async (name, path, button) => {
    const outside = await (await stage.browser.newContext()).newPage()
    await audit(outside, at(path), name, () =>
      outside.getByRole('button', { name: button }).waitFor(),
    )
    await outside.context().close()
  })

  test('nothing was asked of anybody but the gate, and no script failed', () => {
    expect([...asked]).toEqual([new URL(at('/')).origin])
    expect(errors).toEqual([])
  })
})
