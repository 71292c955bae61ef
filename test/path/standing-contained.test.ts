// A denial that stands (red team H5) stands over what is inside, too: a thing that nobody lets an agent delete does not
// go with the stack that holds it, nor the other way round, without its reviewers being told.
import { DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { type Cloud, STORY_REGION, startCloud } from '@seconder/lab/cloud/cloud'
import { createCostExplorerEnvironment } from '@seconder/lab/cloud/environment'
import { type SdkClients, sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Harness, requestIdIn } from './harness.ts'

let cloud: Cloud
let gate: Harness
let agent: SdkClients

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  await createCostExplorerEnvironment(cloud)
  const credentials = cloud.credentials.deploy
  gate = await Harness.start({ upstream: cloud.endpoint, credentials })
  const keys = await gate.open('alice')
  agent = sdkClients({ endpoint: keys.endpoint, region: STORY_REGION, credentials: keys })
})

afterAll(async () => {
  agent.destroy()
  await gate.stop()
  await cloud.close()
})

const refused = (sent: Promise<unknown>) =>
  sent.then(
    () => Promise.reject(new Error('the call passed')),
    (error: Error) => requestIdIn(error),
  )
const deleteTable = (TableName: string) =>
  refused(agent.dynamoDb.send(new DeleteTableCommand({ TableName })))
const deniedBefore = async (id: string) =>
  (await gate.client.get<ShownRequest>(`/api/requests/${id}/status`)).deniedBefore

test('H5 a table that was denied is in the stack that is asked for then, and its reviewers are told', async () => {
  const table = await deleteTable('cost-explorer-settings')
  await gate.review('bob', table, 'deny', 'never')
  const stack = await refused(
    agent.cloudFormation.send(new DeleteStackCommand({ StackName: 'cost-explorer' })),
  )
  expect(await deniedBefore(stack)).toEqual([{ request: table, by: 'bob' }])
  // And what stands beside it is another thing.
  expect(await deniedBefore(await deleteTable('elsewhere'))).toEqual([])
})
