// Change sets, whole path against the lab's CloudFormation: what was approved is one change set with its
// content, never a name (red team C7); a stored role of the stack acts and counts (H8).
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { type SdkClients, sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Harness, requestIdIn } from './harness.ts'

const table = (name: string) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName: name,
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  },
})
const template = (...names: string[]) =>
  JSON.stringify({ Resources: Object.fromEntries(names.map((name) => [name, table(name)])) })

let cloud: Cloud
let clients: SdkClients
let gate: Harness
let agent: CloudFormationClient

beforeEach(async () => {
  cloud = await startCloud({ stepMs: 1 })
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  await clients.cloudFormation.send(
    new CreateStackCommand({ StackName: 'shop', TemplateBody: template('orders', 'carts') }),
  )
  await cloud.settle()
  gate = await Harness.start({ upstream: cloud.endpoint, credentials: cloud.credentials.deploy })
  const { endpoint, accessKeyId, secretAccessKey } = await gate.open('alice')
  const credentials = { accessKeyId, secretAccessKey }
  agent = new CloudFormationClient({ endpoint, region: cloud.region, credentials, maxAttempts: 1 })
})

afterEach(async () => {
  agent.destroy()
  clients.destroy()
  await gate.checkLedger()
  await gate.stop()
  await cloud.close()
})

async function makeChangeSet(...names: string[]): Promise<void> {
  await clients.cloudFormation.send(
    new CreateChangeSetCommand({
      StackName: 'shop',
      ChangeSetName: 'fix',
      TemplateBody: template(...names),
    }),
  )
  await cloud.settle()
}

const execute = () =>
  agent
    .send(new ExecuteChangeSetCommand({ StackName: 'shop', ChangeSetName: 'fix' }))
    .catch((error: Error) => error)
const executed = () => cloud.requests.filter(({ operation }) => operation === 'ExecuteChangeSet')

test('C7 a change set that was deleted and made again after its approval is not executed', async () => {
  await makeChangeSet('orders', 'carts', 'log')
  const id = requestIdIn(await execute())
  await gate.review('bob', id)
  await clients.cloudFormation.send(
    new DeleteChangeSetCommand({ StackName: 'shop', ChangeSetName: 'fix' }),
  )
  await makeChangeSet('log')
  expect(String(await execute())).toContain('has changed since it was approved')
  expect(executed()).toEqual([])
  const again = requestIdIn(await execute())
  expect(again).not.toBe(id)
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${again}`)
  const shown = JSON.parse(document)
  expect(shown.summary).toContain('delete 2 tables')
  expect(shown.evidence.addedEffects).toContain('destroy')
})

test('C7 even the same changes under the same name are another change set', async () => {
  await makeChangeSet('orders', 'carts', 'log')
  await gate.review('bob', requestIdIn(await execute()))
  await clients.cloudFormation.send(
    new DeleteChangeSetCommand({ StackName: 'shop', ChangeSetName: 'fix' }),
  )
  await makeChangeSet('orders', 'carts', 'log')
  expect(String(await execute())).toContain('has changed since it was approved')
  expect(executed()).toEqual([])
})

test('the change set that was approved is executed, once', async () => {
  await makeChangeSet('orders', 'carts', 'log')
  await gate.review('bob', requestIdIn(await execute()))
  expect(await execute()).toMatchObject({ $metadata: { httpStatusCode: 200 } })
  await cloud.settle()
  expect(executed()).toHaveLength(1)
  const { Stacks } = await clients.cloudFormation.send(new DescribeStacksCommand({}))
  expect(Stacks?.[0]?.StackStatus).toBe('UPDATE_COMPLETE')
})

test('an update without a change set is answered with the way to one', async () => {
  const update = new UpdateStackCommand({ StackName: 'shop', TemplateBody: template('orders') })
  const refused = String(await agent.send(update).catch((error: Error) => error))
  expect(refused).toContain('create-change-set --stack-name shop')
  expect(refused).toContain('--template-body file://VALUE')
  expect(cloud.requests.some(({ operation }) => operation === 'UpdateStack')).toBe(false)
})
