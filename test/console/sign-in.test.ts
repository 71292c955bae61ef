// Signing in with a real Chromium: by the link of the command line, and what a page of another port on this
// host, which the browser gives the same cookie, gets with it (red team M12).
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Link, signIn } from '@seconder/cli/sign-in'
import { signerFor } from '@seconder/cli/signing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from '../path/harness.ts'
import { chromiumBrowser, hasChromium, PATIENCE_MS } from './stage.ts'

describe.skipIf(!hasChromium)('signing in with Chromium', () => {
  let upstream: FakeUpstream
  let gate: Harness
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    upstream = await startFakeUpstream()
    gate = await Harness.start({ upstream: upstream.url })
    browser = await chromiumBrowser()
    page = await (await browser.newContext()).newPage()
    page.setDefaultTimeout(PATIENCE_MS)
  })

  afterAll(async () => {
    await browser?.close()
    await gate?.stop()
    await upstream?.close()
  })

  test('M12 a link signs in the browser that opens it; whoever is not signed in is told how', async () => {
    const signer = await signerFor(gate.client, gate.keys.get('bob'))
    const { link } = await signIn<Link>(gate.client, signer, 'link')
    await page.goto(new URL('/', link).href)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.goto(link)
    await page.waitForURL(new URL('/', link).href)
    await page.getByText('● live').waitFor()
    await page.getByText('bob').waitFor()
    const other = await browser.newPage()
    await other.goto(link)
    expect(await other.textContent('body')).toContain('sign_in_needed')
  })

  test('M12 a page of another port has the cookie and gets nothing; signing out ends it', async () => {
    const { origins } = (await gate.client.facts()).relyingParty
    const script = `for (const init of [{}, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }])
      fetch('${origins[0]}/api/requests', { credentials: 'include', mode: 'no-cors', ...init })`
    let cookies = ''
    const server = http.createServer((incoming, outgoing) => {
      cookies ||= incoming.headers.cookie ?? ''
      outgoing.setHeader('content-type', 'text/html')
      outgoing.end(`<script>${script}</script>`)
    })
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const statuses: number[] = []
    const elsewhere = await page.context().newPage()
    elsewhere.on('response', (answer) => {
      if (answer.url().includes('/api/requests')) statuses.push(answer.status())
    })
    await elsewhere.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await expect.poll(() => statuses).toEqual([403, 403])
    expect(cookies).toContain('seconder-')
    server.close()
    server.closeAllConnections()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})
