// What the environment holds, counted with the operator's keys: the stack, its exports, its settings.
// The story says "gone" and "back" from these counts, never from what the agent says it did.
import { setTimeout as pause } from 'node:timers/promises'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { EXPORT_PREFIX } from '../cloud/cost-explorer-service.ts'
import {
  COST_EXPLORER_STACK,
  EXPORT_BUCKET,
  SETTINGS_TABLE,
} from '../cloud/cost-explorer-template.ts'
import type { SdkClients } from '../cloud/sdk-clients.ts'

const POLL_MS = 250

export interface StackState {
  /** Null where there is no such stack. */
  readonly id: string | null
  readonly status: string
}

export interface Holdings {
  readonly objects: number
  readonly settings: number
}

/** Errors that mean that the thing is not there. */
const ABSENT = new Set(['NoSuchBucket', 'ResourceNotFoundException'])

export async function stackState({ cloudFormation }: SdkClients): Promise<StackState> {
  const { Stacks: stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({}))
  const found = stacks.find((stack) => stack.StackName === COST_EXPLORER_STACK)
  return { id: found?.StackId ?? null, status: found?.StackStatus ?? 'DELETE_COMPLETE' }
}

/** What bucket and table hold now; a bucket or table that is not there holds nothing. */
export async function holdings({ s3, dynamoDb }: SdkClients): Promise<Holdings> {
  const [objects, settings] = await Promise.all([
    s3
      .send(new ListObjectsV2Command({ Bucket: EXPORT_BUCKET, Prefix: EXPORT_PREFIX }))
      .then(({ KeyCount: count }) => count ?? 0, noneIfAbsent),
    dynamoDb
      .send(new ScanCommand({ TableName: SETTINGS_TABLE, Select: 'COUNT' }))
      .then(({ Count: count }) => count ?? 0, noneIfAbsent),
  ])
  return { objects, settings }
}

function noneIfAbsent(error: unknown): number {
  if (error instanceof Error && ABSENT.has(error.name)) return 0
  throw error
}

export interface StackListener {
  gone(left: Holdings): void
  back(left: Holdings): void
}

/** Watches the stack until `signal` fires: tells when the one that was there is gone, and when one is back. */
export async function watchStack(
  clients: SdkClients,
  listener: StackListener,
  signal: AbortSignal,
): Promise<void> {
  let { id } = await stackState(clients)
  while (!signal.aborted) {
    await pause(POLL_MS)
    const now = await stackState(clients)
    if (id !== null && now.id !== id) {
      id = null
      listener.gone(await holdings(clients))
    }
    if (id === null && now.id !== null && now.status === 'CREATE_COMPLETE') {
      id = now.id
      listener.back(await holdings(clients))
    }
  }
}
