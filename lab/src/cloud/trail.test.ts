// The lab's trail against what CloudTrail logs: who, what and when, what CloudFormation did under whose rights,
// and no data event.
import { CreateStackCommand, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '@seconder/aws/call'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

const TABLE = {
  TableName: 'orders',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
  BillingMode: 'PAY_PER_REQUEST' as const,
}
const TEMPLATE = { Resources: { Orders: { Type: 'AWS::DynamoDB::Table', Properties: TABLE } } }

let cloud: Cloud
let clients: SdkClients

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

test('a stack, what CloudFormation does for it, and an item that is not there', async () => {
  const StackName = 'shop'
  const TemplateBody = JSON.stringify(TEMPLATE)
  await clients.cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody }))
  await cloud.settle()
  await clients.dynamoDb.send(new PutItemCommand({ TableName: 'orders', Item: { id: { S: '1' } } }))
  await clients.dynamoDb.send(new CreateTableCommand(TABLE)).catch((error: Error) => error)
  await clients.cloudFormation.send(new DeleteStackCommand({ StackName }))
  await cloud.settle()
  const told = cloud.trail.map(({ eventSource, eventName, userIdentity, errorCode }) => [
    `${eventSource} ${eventName}`,
    (userIdentity as JsonObject)['invokedBy'] ?? 'itself',
    errorCode ?? 'done',
  ])
  const service = 'cloudformation.amazonaws.com'
  expect(told).toEqual([
    [`${service} CreateStack`, 'itself', 'done'],
    ['dynamodb.amazonaws.com CreateTable', service, 'done'],
    ['dynamodb.amazonaws.com CreateTable', 'itself', 'ResourceInUseException'],
    [`${service} DeleteStack`, 'itself', 'done'],
    ['dynamodb.amazonaws.com DeleteTable', service, 'done'],
  ])
})

test('each event has the members and forms that CloudTrail documents, and no template, item or secret', () => {
  for (const event of cloud.trail) {
    expect(event).toMatchObject({
      eventVersion: '1.11',
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      awsRegion: 'cn-north-1',
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: '123456789012',
      userIdentity: {
        type: 'AssumedRole',
        arn: expect.stringMatching(/^arn:aws-cn:sts::123456789012:assumed-role\/agent-deploy\//),
        sessionContext: { sessionIssuer: { userName: 'agent-deploy' } },
      },
    })
  }
  const text = JSON.stringify(cloud.trail)
  expect(text).not.toContain('KeySchema')
  expect(text).not.toContain(cloud.credentials.deploy.secretAccessKey)
})
