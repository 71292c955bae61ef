// `npm run demo -- --review` as a newcomer meets it: a terminal that says what to do, a browser that makes a
// passkey and answers, and the story that goes on by it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumBrowser, hasChromium, PATIENCE_MS, withAuthenticator } from './stage.ts'

const DEMO = join(import.meta.dirname, '..', '..', 'lab', 'src', 'demo', 'main.ts')
/** Gives the demo a terminal. Source: util-linux, script(1) */
const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true
if (!hasTerminal) console.warn('skipped: no `script` of util-linux to give the demo a terminal')

describe.skipIf(!hasChromium || !hasTerminal)('the demo with a newcomer as its reviewer', () => {
  let demo: ChildProcess
  let page: Page
  let output = ''

  beforeAll(async () => {
    const browser = await chromiumBrowser()
    page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await withAuthenticator(page)
    const command = `${process.execPath} --disable-warning=ExperimentalWarning ${DEMO} --review`
    demo = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    demo.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  })

  afterAll(async () => {
    await page?.context().browser()?.close()
    demo?.kill()
  })

  /** The first match after `from`, once it is on the terminal. */
  async function told(words: RegExp, from = 0): Promise<string> {
    await expect.poll(() => output.slice(from), { timeout: PATIENCE_MS }).toMatch(words)
    return words.exec(output.slice(from))?.[1] ?? ''
  }

  test('a passkey, a look, a signature; and customers saw no error', async () => {
    await page.goto(await told(/open (http:\/\/localhost:\d+\/people)/))
    await page.getByLabel('Your name here').fill('you')
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    const line = await page.getByText(/^passkey localhost \S+ \S+$/).textContent()
    demo.stdin?.write(`${line}\n`)

    await page.goto(await told(/Look, and sign: (\S+)/))
    await page.getByRole('button', { name: 'Sign in with passkey' }).click()
    await page.locator('.summary').getByText('This would delete 4 resources.').waitFor()
    await page.getByLabel('Comment').fill('Change the one setting that is wrong.')
    const before = output.length
    await page.getByRole('button', { name: 'Request changes' }).click()
    await page.getByText('Changes were requested.').waitFor()

    await page.goto(await told(/Look, and sign: (\S+)/, before))
    await page.locator('.summary').getByText('This would change item').waitFor()
    await page.getByRole('button', { name: 'Sign with passkey' }).click()
    await page.getByText('Approved.').waitFor()
    await told(/no customer saw an error; (August is right)/)
    await told(/(2, signed by you)/)
    expect(await new Promise((resolve) => demo.once('exit', resolve))).toBe(0)
  })
})
