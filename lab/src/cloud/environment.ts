// The environment of the story, made through the front like anyone else would: the stack
// `cost-explorer`, thirteen months of billing exports, a setting a month, and August's is wrong.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { sampleFocusCsv } from '@seconder/costs/sample'
import type { Cloud } from './cloud.ts'
import { EXPORT_PREFIX, exportKey } from './cost-explorer-service.ts'
import {
  COST_EXPLORER_STACK,
  costExplorerTemplate,
  EXPORT_BUCKET,
  type Safeguards,
  SETTINGS_TABLE,
} from './cost-explorer-template.ts'
import { LabError } from './errors.ts'
import { type ClientOptions, type SdkClients, sdkClients } from './sdk-clients.ts'

export const EXPORT_MONTHS = 13

/** The company's negotiated price: every month's amounts are multiplied by it. */
export const RIGHT_FACTOR = '0.93'
/** The bug: a decimal point one place too far. August's report is ten times what it should be. */
export const WRONG_FACTOR = '9.3'

const STACK_POLL_MS = 25
const STACK_WAIT_MS = 60_000

export interface CostExplorerEnvironment {
  /** `YYYY-MM`, oldest first. */
  readonly months: readonly string[]
  /** The August whose setting is wrong. */
  readonly wrongMonth: string
}

/** One month's setting as it is in the table. */
export interface Setting {
  readonly month: string
  readonly factor: string
}

/** The thirteen complete months before the month of `nowMs`. */
export function exportMonths(nowMs: number): readonly string[] {
  const now = new Date(nowMs)
  const months: string[] = []
  for (let back = EXPORT_MONTHS; back >= 1; back -= 1) {
    const first = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)
    months.push(new Date(first).toISOString().slice(0, 7))
  }
  return months
}

/** Makes the stack, its exports and its settings with the operator's keys. */
export async function createCostExplorerEnvironment(
  cloud: Pick<Cloud, 'credentials' | 'endpoint' | 'region'>,
  options: { readonly safeguards?: Safeguards; readonly nowMs?: number } = {},
): Promise<CostExplorerEnvironment> {
  const clients = sdkClients({ ...cloud, credentials: cloud.credentials.operator })
  try {
    const months = exportMonths(options.nowMs ?? Date.now())
    const wrongMonth = months.findLast((month) => month.endsWith('-08')) ?? ''
    await createStack(clients, options.safeguards)
    for (const month of months) {
      // One account: the service can read a month again in a blink.
      const content = sampleFocusCsv({ months: [month], accounts: ['123456789012'] })
      await putExport(clients, exportKey(month), Buffer.from(content))
      const factor = month === wrongMonth ? WRONG_FACTOR : RIGHT_FACTOR
      await putSetting(clients, { month, factor })
    }
    return { months, wrongMonth }
  } finally {
    clients.destroy()
  }
}

async function createStack(clients: SdkClients, safeguards: Safeguards = {}): Promise<void> {
  await clients.cloudFormation.send(
    new CreateStackCommand({
      StackName: COST_EXPLORER_STACK,
      TemplateBody: JSON.stringify(costExplorerTemplate(safeguards)),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Tags: [{ Key: 'service', Value: 'cost-explorer' }],
    }),
  )
  await stackSettled(clients, COST_EXPLORER_STACK)
}

/**
 * Waits until a stack rests. `stack_failed` where it rests in another state than CREATE_COMPLETE.
 */
async function stackSettled(clients: SdkClients, name: string): Promise<void> {
  const deadlineMs = performance.now() + STACK_WAIT_MS
  while (performance.now() < deadlineMs) {
    const output = await clients.cloudFormation.send(new DescribeStacksCommand({ StackName: name }))
    const status = output.Stacks?.[0]?.StackStatus ?? ''
    if (status === 'CREATE_COMPLETE') return
    if (!status.endsWith('_IN_PROGRESS')) {
      const help = 'look at its events: aws cloudformation describe-stack-events'
      throw new LabError('stack_failed', `the stack \`${name}\` is ${status}`, help)
    }
    await new Promise((resolve) => setTimeout(resolve, STACK_POLL_MS))
  }
  throw new LabError('stack_failed', `the stack \`${name}\` did not come to rest`, '')
}

async function putExport(clients: SdkClients, key: string, content: Uint8Array): Promise<void> {
  await clients.s3.send(
    new PutObjectCommand({
      Bucket: EXPORT_BUCKET,
      Key: key,
      Body: content,
      ContentType: 'text/csv',
    }),
  )
}

async function putSetting(clients: SdkClients, { month, factor }: Setting): Promise<void> {
  const item = { month: { S: month }, factor: { S: factor } }
  await clients.dynamoDb.send(new PutItemCommand({ TableName: SETTINGS_TABLE, Item: item }))
}

async function readSettings(clients: SdkClients): Promise<readonly Setting[]> {
  const { Items: items = [] } = await clients.dynamoDb.send(
    new ScanCommand({ TableName: SETTINGS_TABLE }),
  )
  return items.map((item) => ({ month: item['month']?.S ?? '', factor: item['factor']?.S ?? '' }))
}

interface ExportManifest {
  readonly objects: readonly { readonly key: string; readonly file: string }[]
  readonly settings: readonly Setting[]
}

const MANIFEST_FILE = 'manifest.json'

/** Copies every export and setting to a local directory: the operator's offline copy. */
export async function exportOfflineCopy(
  options: ClientOptions,
  directory: string,
): Promise<number> {
  const clients = sdkClients(options)
  try {
    await mkdir(directory, { recursive: true })
    const { Contents: contents = [] } = await clients.s3.send(
      new ListObjectsV2Command({ Bucket: EXPORT_BUCKET, Prefix: EXPORT_PREFIX }),
    )
    const objects: { key: string; file: string }[] = []
    for (const [index, { Key: key = '' }] of contents.entries()) {
      const input = { Bucket: EXPORT_BUCKET, Key: key }
      const { Body: body } = await clients.s3.send(new GetObjectCommand(input))
      const file = `object-${index}`
      await writeFile(join(directory, file), (await body?.transformToByteArray()) ?? '')
      objects.push({ key, file })
    }
    const manifest: ExportManifest = { objects, settings: await readSettings(clients) }
    await writeFile(join(directory, MANIFEST_FILE), JSON.stringify(manifest))
    return objects.length
  } finally {
    clients.destroy()
  }
}

export interface Restored {
  readonly objects: number
  readonly settings: number
  /** True where the stack had to be made again. */
  readonly stackMade: boolean
}

/**
 * Puts everything back from the offline copy: the stack where it is gone, every export, every
 * setting. This is where the outage ends. `export_missing` where the directory holds no copy.
 */
export async function restoreFromOfflineCopy(
  options: ClientOptions,
  directory: string,
): Promise<Restored> {
  const manifest = await readManifest(directory)
  const clients = sdkClients(options)
  try {
    const stackMade = !(await stackExists(clients))
    if (stackMade) await createStack(clients)
    for (const { key, file } of manifest.objects) {
      await putExport(clients, key, await readFile(join(directory, file)))
    }
    for (const setting of manifest.settings) await putSetting(clients, setting)
    return { objects: manifest.objects.length, settings: manifest.settings.length, stackMade }
  } finally {
    clients.destroy()
  }
}

async function readManifest(directory: string): Promise<ExportManifest> {
  try {
    return JSON.parse(await readFile(join(directory, MANIFEST_FILE), 'utf8')) as ExportManifest
  } catch (cause) {
    const help = 'make the copy with `exportOfflineCopy` while the environment is whole'
    throw new LabError('export_missing', 'the directory holds no offline copy', help, { cause })
  }
}

async function stackExists(clients: SdkClients): Promise<boolean> {
  const { Stacks: stacks = [] } = await clients.cloudFormation.send(new DescribeStacksCommand({}))
  return stacks.some((stack) => stack.StackName === COST_EXPLORER_STACK)
}
