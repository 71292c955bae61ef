// Lists that are longer than a page, and who is away: in a real Chromium over a gate with a long past.
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from '../path/harness.ts'
import { audit, live } from './audit.ts'
import { chromiumBrowser, hasChromium, PATIENCE_MS } from './stage.ts'

const DAY_MS = 86_400_000

describe.skipIf(!hasChromium)('lists in Chromium', () => {
  let upstream: FakeUpstream
  let gate: Harness
  let browser: Browser
  let page: Page
  const at = (path: string) => gate.running.consoleUrl.replace('127.0.0.1', 'localhost') + path

  beforeAll(async () => {
    upstream = await startFakeUpstream()
    const raw = NOTIFY.parse({
      channels: { hook: { slack: { url: 'env:HOOK' } } },
      people: { bob: ['hook'], carol: ['hook'] },
      routes: [{ teams: ['sre'], people: ['bob'] }],
    })
    const environ = { HOOK: 'http://127.0.0.1:9/' }
    const notify = notifyConfig(raw, { environ, under: (path) => path })
    gate = await Harness.start({ upstream: upstream.url, notify })
    browser = await chromiumBrowser()
    page = await browser.newPage({ extraHTTPHeaders: await gate.readerHeaders() })
    page.setDefaultTimeout(PATIENCE_MS)
  })

  afterAll(async () => {
    await browser?.close()
    await gate?.stop()
    await upstream?.close()
  })

  /** Sessions that ended; only their rows, which is what a list is made of. */
  async function endedSessions(first: number, last: number): Promise<void> {
    const { store, clock } = gate.running.gate
    for (let number = first; number <= last; number++) {
      const openedAtMs = clock.nowMs() - DAY_MS + number
      await store.addSession({
        ...{ id: `s-${String(number).padStart(26, '0')}`, parent: null },
        ...{ accessKeyId: `old-${number}`, secretAccessKey: '', maskKey: '' },
        ...{ agent: `agent ${number}`, operator: 'bob', roleName: 'deploy', roleArn: 'arn' },
        ...{
          openedAtMs,
          expiresAtMs: openedAtMs + 1,
          closedAtMs: null,
          suspendedAtMs: null,
          task: null,
          instigators: [],
        },
      })
    }
  }

  const rows = () => page.locator('tbody tr').count()
  const more = () => page.getByRole('button', { name: 'Show up to 1000' })

  test('a list says that there is more only where there is, and shows it; past a thousand, who has the rest', async () => {
    await endedSessions(1, 100)
    await page.goto(at('/sessions'))
    await page.getByText('agent 100', { exact: true }).waitFor()
    expect(await rows()).toBe(100)
    expect(await more().count()).toBe(0)

    await endedSessions(101, 101)
    await page.goto(at('/sessions'))
    await page.getByText('These are the newest 100.').waitFor()
    expect(await rows()).toBe(100)
    // The newest first, and the oldest is what is left out.
    expect(await page.getByText('agent 1', { exact: true }).count()).toBe(0)
    await more().click()
    await page.getByText('agent 1', { exact: true }).waitFor()
    expect(await rows()).toBe(101)
    expect(await more().count()).toBe(0)

    await endedSessions(102, 1_001)
    await page.goto(at('/sessions'))
    await more().click()
    await page.getByText('These are the newest 1000. Older ones:').waitFor()
    expect(await rows()).toBe(1_000)
    expect(await more().count()).toBe(0)
  })

  test('who is away is on the page of people the moment they sign it, and gone when they are back', async () => {
    await page.goto(at('/people'))
    await page.getByRole('rowheader', { name: 'bob' }).waitFor()
    await live(page)
    const until = new Date(Date.now() + 3 * DAY_MS).toISOString()
    await signedAway({ to: 'carol', until })
    await page.getByText('carol is told instead, and signs as carol only').waitFor()
    const row = await page.getByRole('row').filter({ hasText: 'away' }).textContent()
    expect(row).toContain('bob')
    expect(row).toContain(`in 3 days (${until.slice(0, 10)} ${until.slice(11, 19)} UTC)`)
    await audit(page, at('/people'), 'people', () => page.getByText('is told instead').waitFor())
    await signedAway(null)
    await page.getByText('is told instead').waitFor({ state: 'detached' })
  })

  async function signedAway(away: { to: string; until: string } | null): Promise<void> {
    const { gate: id } = await gate.client.facts()
    const nonce = crypto.randomUUID()
    const own = { gate: id, signer: 'bob', away, nonce, signedAt: new Date().toISOString() }
    const act = await gate.act('bob', { type: 'seconder-away@v1', ...own }, 'seconder-away@v1')
    await gate.client.post('/api/away', act)
  }
})
