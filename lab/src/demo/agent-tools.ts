// The tools of the demo's agent: real AWS SDK clients that take endpoint, region and keys from the
// environment, as those of every agent do. What AWS or a gate answers goes back to the model word for word.

import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation'
import { DynamoDBClient, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { sessionKeys, statusForSession } from '@seconder/cli/reading'
import { tool } from 'ai'
import { z } from 'zod'
import type { ToolInput, ToolName } from './agent-script.ts'
import { billedTotal } from './billed-total.ts'

/** Longest the agent waits for a stack, in seconds. */
const STACK_WAIT_S_MAX = 60
/** One look at a stack a second: the waiters of the SDK default to 30 s. */
const STACK_POLL_S = 1
/** How long one question about a review may stay open, in milliseconds. */
const REVIEW_WAIT_MS = 20_000

export type OnCall = (tool: ToolName, input: ToolInput) => void
export type OnResult = (tool: ToolName, result: string) => void

/** Makes one tool; `onCall` and `onResult` hear each call before and after it is made. */
function toolMaker(onCall: OnCall, onResult: OnResult) {
  return <Input extends ToolInput>(
    name: ToolName,
    description: string,
    inputSchema: z.ZodType<Input>,
    act: (input: Input) => Promise<unknown>,
  ) =>
    tool({
      description,
      inputSchema,
      execute: async (input: Input) => {
        onCall(name, input)
        const result = await answered(() => act(input))
        onResult(name, result)
        return result
      },
    })
}

/** The tools, on clients of their own; `gate` is where to ask how a review stands. */
export function agentTools(gate: string | undefined, onCall: OnCall, onResult: OnResult) {
  const cloudFormation = new CloudFormationClient({})
  const dynamoDb = new DynamoDBClient({})
  const s3 = new S3Client({})
  const made = toolMaker(onCall, onResult)
  const text = z.string()
  return {
    readStack: made(
      'readStack',
      'What a stack is made of, and its template.',
      z.object({ stack: text }),
      ({ stack }) => readStack(cloudFormation, stack),
    ),
    readSettings: made(
      'readSettings',
      'Every setting in a table.',
      z.object({ table: text }),
      ({ table }) => readSettings(dynamoDb, table),
    ),
    readReport: made(
      'readReport',
      "A month's billing export, summed.",
      z.object({ bucket: text, month: text }),
      ({ bucket, month }) => readReport(s3, bucket, month),
    ),
    deleteStack: made(
      'deleteStack',
      'Delete a stack with everything in it.',
      z.object({ stack: text, reason: text }),
      ({ stack, reason }) => deleteStack(cloudFormation, stack, reason),
    ),
    waitForStackGone: made(
      'waitForStackGone',
      'Wait until a deleted stack is gone.',
      z.object({ stack: text }),
      ({ stack }) => waitForStackGone(cloudFormation, stack),
    ),
    createStack: made(
      'createStack',
      'Create a stack from a template, and wait for it.',
      z.object({ stack: text, template: text, reason: text }),
      (input) => createStack(cloudFormation, input),
    ),
    updateSetting: made(
      'updateSetting',
      'Set the factor of one month.',
      z.object({ table: text, month: text, factor: text, reason: text }),
      (input) => updateSetting(dynamoDb, input),
    ),
    waitForReview: made(
      'waitForReview',
      'Wait until reviewers have answered a request.',
      z.object({ request: text }),
      ({ request }) => waitForReview(gate, request),
    ),
  }
}

/** JSON of what came back, or the error as `Name: message`; an agent has to see refusals too. */
async function answered(act: () => Promise<unknown>): Promise<string> {
  try {
    const answer = await act()
    return typeof answer === 'string' ? answer : JSON.stringify(answer)
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}

async function readStack(client: CloudFormationClient, stack: string): Promise<object> {
  const { Stacks: [described] = [] } = await client.send(
    new DescribeStacksCommand({ StackName: stack }),
  )
  const { StackResources: resources = [] } = await client.send(
    new DescribeStackResourcesCommand({ StackName: stack }),
  )
  const { TemplateBody: template = '' } = await client.send(
    new GetTemplateCommand({ StackName: stack }),
  )
  const nameOf = (type: string) =>
    resources.find((resource) => resource.ResourceType === type)?.PhysicalResourceId ?? ''
  return {
    status: described?.StackStatus ?? '',
    bucket: nameOf('AWS::S3::Bucket'),
    table: nameOf('AWS::DynamoDB::Table'),
    template,
  }
}

async function readSettings(client: DynamoDBClient, table: string): Promise<object> {
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: table }))
  return items.map((item) => ({ month: item['month']?.S ?? '', factor: item['factor']?.S ?? '' }))
}

async function readReport(client: S3Client, bucket: string, month: string): Promise<object> {
  const { Body: body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: `exports/${month}.csv` }),
  )
  const csv = (await body?.transformToString()) ?? ''
  return { month, billed: billedTotal(csv) }
}

async function deleteStack(
  client: CloudFormationClient,
  stack: string,
  reason: string,
): Promise<object> {
  const command = new DeleteStackCommand({ StackName: stack })
  command.middlewareStack.add(saying(reason), { step: 'build', name: 'reason' })
  await client.send(command)
  return { accepted: true }
}

async function waitForStackGone(client: CloudFormationClient, stack: string): Promise<object> {
  const wait = { client, maxWaitTime: STACK_WAIT_S_MAX, minDelay: STACK_POLL_S, maxDelay: 2 }
  await waitUntilStackDeleteComplete(wait, { StackName: stack })
  return { gone: true }
}

async function createStack(
  client: CloudFormationClient,
  { stack, template, reason }: { stack: string; template: string; reason: string },
): Promise<object> {
  const command = new CreateStackCommand({
    StackName: stack,
    TemplateBody: template,
    Capabilities: ['CAPABILITY_NAMED_IAM'],
  })
  command.middlewareStack.add(saying(reason), { step: 'build', name: 'reason' })
  await client.send(command)
  const wait = { client, maxWaitTime: STACK_WAIT_S_MAX, minDelay: STACK_POLL_S, maxDelay: 2 }
  await waitUntilStackCreateComplete(wait, { StackName: stack })
  return { created: true }
}

async function updateSetting(
  client: DynamoDBClient,
  input: { table: string; month: string; factor: string; reason: string },
): Promise<object> {
  const command = new UpdateItemCommand({
    TableName: input.table,
    Key: { month: { S: input.month } },
    UpdateExpression: 'SET factor = :factor',
    ExpressionAttributeValues: { ':factor': { S: input.factor } },
  })
  command.middlewareStack.add(saying(input.reason), { step: 'build', name: 'reason' })
  await client.send(command)
  return { updated: true }
}

/** Adds the agent's reason as a header before signing, so that the signature covers it. */
function saying(reason: string) {
  return <Arguments extends { readonly request: unknown }, Result>(
    next: (args: Arguments) => Promise<Result>,
  ) =>
    (args: Arguments): Promise<Result> => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-seconder-reason'] = encodeURIComponent(reason)
      return next(args)
    }
}

/** Polls the gate's status API as `seconder wait` does, under the session's own keys. */
async function waitForReview(gate: string | undefined, request: string): Promise<string> {
  const keys = sessionKeys(process.env)
  if (gate === undefined || keys === null) throw new Error('there is no gate to ask')
  for (;;) {
    const answer = await statusForSession<Status>(gate, keys, request, REVIEW_WAIT_MS)
    if (answer.state !== 'pending') return answer.guidance
  }
}

interface Status {
  readonly state: string
  readonly guidance: string
}
