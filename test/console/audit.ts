// One page as everybody may see it, in the light, in the dark and on a phone: axe, whether it scrolls sideways,
// and a picture where somebody wants one. axe runs in a world of its own, under the console's own policy.
// Source: https://chromedevtools.github.io/devtools-protocol/tot/Page/#method-createIsolatedWorld
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { expect } from 'vitest'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder to put a picture of each page into, for people to look at. */
const SHOTS = process.env['SECONDER_SHOTS']

/** Each with the rules that are asked; null = all. What differs from the first look is looked at again. */
const LOOKS = [
  ['light', 1200, null],
  ['dark', 1200, ['color-contrast', 'link-in-text-block']],
  ['dark', 390, null],
] as const

/** The same of a long page, on which axe is slow. */
const LONG_LOOKS = [
  ['light', 1200, null],
  ['dark', 1200, ['color-contrast']],
  ['light', 390, ['scrollable-region-focusable', 'target-size']],
] as const

/** Until a page of somebody who signed in hears what happens. */
export function live(page: Page): Promise<void> {
  return page.getByText('● live').waitFor()
}

/** `ready` waits until the page shows what it should. */
export async function audit(
  page: Page,
  url: string,
  name: string,
  ready: () => Promise<unknown>,
): Promise<void> {
  await page.goto(url)
  await ready()
  await auditLooks(page, name, LOOKS)
}

/** The page as it stands, which a visit of its address would lose. */
export function auditHere(page: Page, name: string): Promise<void> {
  return auditLooks(page, name, LONG_LOOKS)
}

async function auditLooks(
  page: Page,
  name: string,
  looks: typeof LOOKS | typeof LONG_LOOKS,
): Promise<void> {
  // Never detached: with it the page's virtual authenticator would be gone.
  const session = await page.context().newCDPSession(page)
  for (const [scheme, width, rules] of looks) {
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme: scheme })
    await auditOne(page, session, { name, scheme, width, rules })
  }
  await page.setViewportSize({ width: 1200, height: 900 })
}

interface Look {
  readonly name: string
  readonly scheme: string
  readonly width: number
  /** Those of axe that are asked; null = all. */
  readonly rules: readonly string[] | null
}

async function auditOne(page: Page, session: CDPSession, look: Look): Promise<void> {
  const { name, scheme, width, rules } = look
  await shot(page, `${name}-${scheme}-${width}`)
  const where = `${name}, ${scheme}, ${width} px`
  expect(await seriousIn(session, rules), where).toEqual([])
  const scrolled = await page.evaluate<number>('document.documentElement.scrollWidth')
  expect(scrolled, `${where} scrolls sideways`).toBeLessThanOrEqual(width)
}

/** `rule: element` of each serious violation. */
async function seriousIn(session: CDPSession, rules: readonly string[] | null): Promise<string[]> {
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'axe',
  })
  const asked = { contextId, awaitPromise: true, returnByValue: true }
  const only = rules === null ? {} : { runOnly: { type: 'rule', values: rules } }
  // Two frames: by then everything knows how wide it is.
  const run = `new Promise((later) => requestAnimationFrame(() => requestAnimationFrame(later)))
    .then(() => axe.run(${JSON.stringify(only)})).then(({ violations, passes }) => ({ passes: passes.length,
    found: violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes[0].html) }))`
  const loaded = await session.send('Runtime.evaluate', { ...asked, expression: `${AXE};1` })
  expect(loaded.exceptionDetails).toBeUndefined()
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    ...asked,
    expression: run,
  })
  expect(exceptionDetails).toBeUndefined()
  const { found, passes } = result.value as { found: string[]; passes: number }
  if (rules === null) expect(passes, 'axe looked at nothing').toBeGreaterThan(5)
  return found
}

export async function shot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}
