// A gate before the lab's cloud, an agent that asked for things, and a real Chromium that looks.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { signChange } from '@seconder/cli/changing-people'
import { signerFor } from '@seconder/cli/signing'
import { CONSOLE_FOLDER } from '@seconder/gateway/api/console-files'
import { type Cloud, STORY_REGION, startCloud } from '@seconder/lab/cloud/cloud'
import { createCostExplorerEnvironment } from '@seconder/lab/cloud/environment'
import { type SdkClients, sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { type Browser, chromium, type Page } from 'playwright-core'
import { Harness, type HarnessOptions, type Keys } from '../path/harness.ts'

/** Debian's package, or another one by name. */
const CHROMIUM = process.env['SECONDER_CHROMIUM'] ?? '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)
export const isConsoleBuilt = existsSync(join(CONSOLE_FOLDER, 'index.html'))
if (!hasChromium) console.warn(`skipped: no Chromium at ${CHROMIUM}`)

export interface Stage {
  readonly gate: Harness
  readonly browser: Browser
  readonly keys: Keys
  readonly agent: SdkClients
  /** An address of the console under the name that passkeys belong to. */
  at(path: string): string
  close(): Promise<void>
}

/** How long a page is waited for, in milliseconds: a busy machine draws late. */
export const PATIENCE_MS = 240_000

/** Chromium does not sandbox itself where the tests run as root. */
export function chromiumBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

/** `options` are of the gate, beside what the stage itself says. */
export async function startStage(options: Partial<HarnessOptions> = {}): Promise<Stage> {
  const cloud: Cloud = await startCloud({ stepMs: 1 })
  await createCostExplorerEnvironment(cloud)
  const gate = await Harness.start({
    upstream: cloud.endpoint,
    credentials: cloud.credentials.deploy,
    expiresInMs: 3_600_000,
    ...options,
  })
  const keys = await gate.open('alice', 'kiro-cli 1.22')
  const agent = sdkClients({ endpoint: keys.endpoint, region: STORY_REGION, credentials: keys })
  const browser = await chromiumBrowser()
  // Every page reads as carol, until a test signs somebody in.
  const extraHTTPHeaders = await gate.readerHeaders()
  const newPage = browser.newPage.bind(browser)
  browser.newPage = (options) => newPage({ extraHTTPHeaders, ...options })
  return {
    gate,
    browser,
    keys,
    agent,
    at: (path) => gate.running.consoleUrl.replace('127.0.0.1', 'localhost') + path,
    async close() {
      await browser.close()
      agent.destroy()
      await gate.stop()
      await cloud.close()
    },
  }
}

/** What the agent of the story does: two reads, and the call that took the service down. */
export async function askForDecember({ agent }: Stage): Promise<Error> {
  await agent.dynamoDb.send(
    new GetItemCommand({ TableName: 'cost-explorer-settings', Key: { month: { S: '2026-08' } } }),
  )
  return refused(agent.cloudFormation.send(new DeleteStackCommand({ StackName: 'cost-explorer' })))
}

export function askForOneSetting(stage: Stage): Promise<Error> {
  return refused(changeOneSetting(stage))
}

export function changeOneSetting({ agent }: Stage, factor = '0.93'): Promise<unknown> {
  return agent.dynamoDb.send(
    new UpdateItemCommand({
      TableName: 'cost-explorer-settings',
      Key: { month: { S: '2026-08' } },
      UpdateExpression: 'SET factor = :factor',
      ExpressionAttributeValues: { ':factor': { N: factor } },
    }),
  )
}

export function putNote({ agent }: Stage, number: number): Promise<unknown> {
  const Key = `notes/${number}.txt`
  return agent.s3.send(
    new PutObjectCommand({ Bucket: 'cost-explorer-data', Key, Body: `note ${number}` }),
  )
}

/** A passkey of this device whose owner always puts the finger on it, as Chromium feigns one. */
export async function withAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
      ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
}

/** A passkey made on the page of People, for which these members sign; `page` has an authenticator of its own. */
export async function enrol(
  { gate, at }: Pick<Stage, 'gate' | 'at'>,
  page: Page,
  person: string,
  signers: readonly string[],
): Promise<void> {
  await page.goto(at('/people'))
  await page.getByLabel('Your name here').fill(person)
  await page.getByRole('button', { name: 'Make a passkey' }).click()
  const line = await page.getByText(/^passkey localhost \S+ \S+$/).textContent()
  const change = { kind: 'add-key', person, key: line ?? '' } as const
  for (const name of signers) {
    const signer = await signerFor(gate.client, gate.keys.get(name))
    await signChange(gate.client, signer, change)
  }
}

/** A browser of somebody who signed in with a passkey made in it. */
export async function signedInPage(
  stage: Stage,
  person: string,
  signers: readonly string[],
): Promise<Page> {
  const context = await stage.browser.newContext({ viewport: { width: 1200, height: 900 } })
  const page = await context.newPage()
  await withAuthenticator(page)
  await enrol(stage, page, person, signers)
  await page.goto(stage.at('/'))
  await page.getByRole('button', { name: 'Sign in with passkey' }).click()
  await page.getByText('● live').waitFor()
  return page
}

export function refused(sent: Promise<unknown>): Promise<Error> {
  return sent.then(
    () => {
      throw new Error('the call passed')
    },
    (error: Error) => error,
  )
}
