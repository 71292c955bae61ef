import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateStackCommand, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { CostExplorerClient, GetCostAndUsageCommand } from '@aws-sdk/client-cost-explorer'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import { type CostService, startCostExplorerService } from './cost-explorer-service.ts'
import {
  COST_EXPLORER_STACK,
  costExplorerTemplate,
  SETTINGS_TABLE,
} from './cost-explorer-template.ts'
import {
  type CostExplorerEnvironment,
  createCostExplorerEnvironment,
  EXPORT_MONTHS,
  exportMonths,
  exportOfflineCopy,
  RIGHT_FACTOR,
  restoreFromOfflineCopy,
} from './environment.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

let cloud: Cloud
let service: CostService
let environment: CostExplorerEnvironment
let agent: SdkClients
let customer: CostExplorerClient
let copy: string

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 5 })
  environment = await createCostExplorerEnvironment(cloud)
  service = await startCostExplorerService({
    ...cloud,
    credentials: cloud.credentials.costExplorer,
  })
  agent = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  customer = new CostExplorerClient({
    endpoint: service.endpoint,
    region: cloud.region,
    credentials: service.customer,
    maxAttempts: 1,
  })
  copy = await mkdtemp(join(tmpdir(), 'lab-copy-'))
})

afterAll(async () => {
  customer.destroy()
  agent.destroy()
  await service.close()
  await cloud.close()
  await rm(copy, { recursive: true, force: true })
  expect(cloud.faults).toEqual([])
})

/** UnblendedCost of each month, in USD. */
async function monthlyCosts(): Promise<readonly number[]> {
  const [first = ''] = environment.months
  const last = environment.months.at(-1) ?? ''
  const next = new Date(Date.UTC(Number(last.slice(0, 4)), Number(last.slice(5)), 1))
  const output = await customer.send(
    new GetCostAndUsageCommand({
      TimePeriod: { Start: `${first}-01`, End: next.toISOString().slice(0, 10) },
      Granularity: 'MONTHLY',
      Metrics: ['UnblendedCost'],
    }),
  )
  const results = output.ResultsByTime ?? []
  return results.map((result) => Number(result.Total?.['UnblendedCost']?.Amount))
}

test('the months are the thirteen complete ones before now', () => {
  const months = exportMonths(Date.UTC(2026, 10, 23))
  expect(months.length).toBe(EXPORT_MONTHS)
  expect([months[0], months.at(-1)]).toEqual(['2025-10', '2026-10'])
})

test('customers get thirteen months, and the report of August alone is wrong', async () => {
  const costs = await monthlyCosts()
  expect(costs.length).toBe(EXPORT_MONTHS)
  const wrong = environment.months.indexOf(environment.wrongMonth)
  const others = costs.filter((_, index) => index !== wrong)
  expect(Math.min(...others)).toBeGreaterThan(0)
  expect(costs[wrong]).toBeGreaterThan(5 * Math.max(...others))
})

test('one changed setting repairs the report, and nothing else changes', async () => {
  const before = await monthlyCosts()
  await agent.dynamoDb.send(
    new UpdateItemCommand({
      TableName: SETTINGS_TABLE,
      Key: { month: { S: environment.wrongMonth } },
      UpdateExpression: 'SET factor = :right',
      ExpressionAttributeValues: { ':right': { S: RIGHT_FACTOR } },
    }),
  )
  const after = await monthlyCosts()
  const wrong = environment.months.indexOf(environment.wrongMonth)
  expect(after[wrong]).toBeCloseTo((before[wrong] ?? 0) / 10, 6)
  expect(after.filter((_, index) => index !== wrong)).toEqual(
    before.filter((_, index) => index !== wrong),
  )
})

test('deleting the stack takes the service down until the copy is put back', async () => {
  const operator = { ...cloud, credentials: cloud.credentials.operator }
  const before = await monthlyCosts()
  expect(await exportOfflineCopy(operator, copy)).toBe(EXPORT_MONTHS)
  await agent.cloudFormation.send(new DeleteStackCommand({ StackName: COST_EXPLORER_STACK }))
  await cloud.settle()
  await expect(monthlyCosts()).rejects.toMatchObject({ name: 'InternalFailure' })
  // An empty environment of the same name is still an outage: the data is what was lost.
  await createEmptyStack()
  await expect(monthlyCosts()).rejects.toMatchObject({ name: 'InternalFailure' })
  const restored = await restoreFromOfflineCopy(operator, copy)
  expect(restored).toEqual({
    objects: EXPORT_MONTHS,
    settings: EXPORT_MONTHS,
    stackMade: false,
  })
  expect(await monthlyCosts()).toEqual(before)
})

async function createEmptyStack(): Promise<void> {
  await agent.cloudFormation.send(
    new CreateStackCommand({
      StackName: COST_EXPLORER_STACK,
      TemplateBody: JSON.stringify(costExplorerTemplate()),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  )
  await cloud.settle()
}

test('a restore without a copy says what is missing', async () => {
  const operator = { ...cloud, credentials: cloud.credentials.operator }
  await expect(restoreFromOfflineCopy(operator, join(copy, 'none'))).rejects.toMatchObject({
    code: 'export_missing',
  })
})

test('the cloud starts within two seconds, and the December deletion takes about one', async () => {
  const startedMs = performance.now()
  const timed = await startCloud()
  expect(performance.now() - startedMs).toBeLessThan(2000)
  await createCostExplorerEnvironment(timed)
  const clients = sdkClients({ ...timed, credentials: timed.credentials.deploy })
  const deletedMs = performance.now()
  await clients.cloudFormation.send(new DeleteStackCommand({ StackName: COST_EXPLORER_STACK }))
  expect(performance.now() - deletedMs).toBeLessThan(500)
  await timed.settle()
  const tookMs = performance.now() - deletedMs
  expect(tookMs).toBeGreaterThan(900)
  expect(tookMs).toBeLessThan(5000)
  clients.destroy()
  await timed.close()
})

test('the cloud runs as a process of its own and prints its endpoint and keys', async () => {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, '--empty'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const line = await new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once('line', resolve),
  )
  const { endpoint, region, credentials } = JSON.parse(line) as Cloud
  const sts = new STSClient({ endpoint, region, credentials: credentials.operator })
  const identity = await sts.send(new GetCallerIdentityCommand({}))
  expect(identity.Arn).toContain('assumed-role/operator/')
  sts.destroy()
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})
