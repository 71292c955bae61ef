// Starts the lab's cloud in this process: dynalite and s3rver on sockets of a private directory,
// and in front of them the one endpoint that verifies signatures. Nothing of it outlives `close`.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '@seconder/aws/call'
import dynalite from 'dynalite'
import S3rver from 's3rver'
import type { CloudService } from './cloud-request.ts'
import { CloudFormation } from './cloudformation.ts'
import { DynamoDb } from './dynamodb.ts'
import { DynamoDbTables } from './dynamodb-tables.ts'
import { type RecordedRequest, startFront } from './front.ts'
import { Loopback } from './loopback.ts'
import { type Credentials, KeyTable } from './principal.ts'
import { S3 } from './s3.ts'
import { S3Buckets } from './s3-buckets.ts'
import { resourceTypes } from './stack-resource-types.ts'
import { StackWorker } from './stack-worker.ts'
import { type AssumedSession, Sts } from './sts.ts'
import { Trail } from './trail.ts'

/** The region of the story. Amazon named one of its two regions in China. */
export const STORY_REGION = 'cn-north-1'

/** Time CloudFormation takes for one resource; the story's four make about a second. */
export const STEP_MS = 250

export interface CloudOptions {
  /**
   * Where s3rver keeps objects; a directory of the lab's own below it. Default: a temporary one.
   */
  readonly dataDirectory?: string
  /** Epoch milliseconds; the clock signatures are checked against. */
  readonly now?: () => number
  /** Time CloudFormation takes for one resource. */
  readonly stepMs?: number
}

/** The real keys of the lab, one pair a role. The gate alone may hold `gate` and `deploy`. */
export interface CloudCredentials {
  /** `role/agent-deploy`: the role that was too broad. */
  readonly deploy: Credentials
  /** `role/operator`: the people who put things right. */
  readonly operator: Credentials
  /** `role/cost-explorer-service`: what the service reads with. */
  readonly costExplorer: Credentials
  /** `role/seconder-gate`: may assume `agent-deploy` and `agent-readonly`. */
  readonly gate: Credentials
}

export interface Cloud {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  readonly region: string
  readonly credentials: CloudCredentials
  /** Every request the front saw, refused ones included. */
  readonly requests: readonly RecordedRequest[]
  /** Every AssumeRole that was answered. */
  readonly sessions: readonly AssumedSession[]
  /** What CloudTrail would have logged: management events, oldest first. */
  readonly trail: readonly JsonObject[]
  /** Faults of the lab itself; empty in a sound lab. */
  readonly faults: readonly unknown[]
  /** Waits for stack operations under way. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** Starts the lab's cloud; it is ready when this resolves. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const now = options.now ?? Date.now
  const sockets = await mkdtemp(join(tmpdir(), 'lab-'))
  if (options.dataDirectory !== undefined) await mkdir(options.dataDirectory, { recursive: true })
  const objects = await mkdtemp(join(options.dataDirectory ?? sockets, 's3-'))
  const s3rver = new S3rver({ directory: objects, silent: true })
  const s3Backend = await Loopback.serve(s3rver.callback(), join(sockets, 's3.sock'))
  const tableBackends = new Map<string, Promise<Loopback>>()
  const tableBackend = (region: string): Promise<Loopback> => {
    const known = tableBackends.get(region)
    if (known !== undefined) return known
    const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
    const started = Loopback.listen(server, join(sockets, `${region}.sock`))
    tableBackends.set(region, started)
    return started
  }

  const keys = new KeyTable()
  const credentials = addRoles(keys)
  const dynamodb = new DynamoDb(new DynamoDbTables(tableBackend))
  const buckets = new S3Buckets(s3Backend)
  const types = resourceTypes(dynamodb, buckets)
  const trail = new Trail()
  const stepMs = options.stepMs ?? STEP_MS
  const worker = new StackWorker({ types, now, stepMs, onDeed: (deed) => trail.deed(deed) })
  const sts = new Sts(keys)
  const services = new Map<string, CloudService>([
    ['cloudformation', new CloudFormation({ types, worker })],
    ['dynamodb', dynamodb],
    ['s3', new S3(buckets)],
    ['sts', sts],
  ])
  const front = await startFront({ keys, services, now, onCall: (call) => trail.call(call) })
  return {
    endpoint: front.endpoint,
    region: STORY_REGION,
    credentials,
    requests: front.requests,
    sessions: sts.sessions,
    trail: trail.events,
    get faults() {
      return [...front.faults, ...worker.faults]
    },
    settle: () => worker.settle(),
    close: async () => {
      await front.close()
      await worker.settle()
      await s3Backend.close()
      for (const backend of tableBackends.values()) await (await backend).close()
      await rm(objects, { recursive: true, force: true })
      await rm(sockets, { recursive: true, force: true })
    },
  }
}

function addRoles(keys: KeyTable): CloudCredentials {
  keys.addRole({ name: 'agent-readonly', mayAssume: [] })
  return {
    deploy: keys.addRole({ name: 'agent-deploy', mayAssume: [] }),
    operator: keys.addRole({ name: 'operator', mayAssume: [] }),
    costExplorer: keys.addRole({ name: 'cost-explorer-service', mayAssume: [] }),
    gate: keys.addRole({ name: 'seconder-gate', mayAssume: ['agent-deploy', 'agent-readonly'] }),
  }
}
