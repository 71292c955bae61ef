// The peers of replay, each over the same files: readings in workers, DuckDB's JSON reader with the same
// question, jq behind zcat. A rate is events per second of CPU, of all threads and children together.
import { execFileSync, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { DuckDBInstance } from '@duckdb/node-api'
import type { TrailFile } from '@seconder/replay/trail/trail-files'
import { startCpu } from '../cpu-clock.ts'
import type { Reading, ReadingWork } from './reading-worker.ts'

export interface Took {
  readonly cpuSeconds: number
  readonly wallSeconds: number
}

export async function took(work: () => Promise<unknown>): Promise<Took> {
  const cpu = startCpu()
  const begun = performance.now()
  await work()
  return { cpuSeconds: cpu(), wallSeconds: (performance.now() - begun) / 1000 }
}

/** The files shared out among as many workers as there are cores. */
export async function readAll(reading: Reading, files: readonly TrailFile[]): Promise<number> {
  const count = availableParallelism()
  const shares = Array.from({ length: count }, (_, at) => files.filter((_, i) => i % count === at))
  const events = await Promise.all(shares.map((share) => readIn(reading, share)))
  return events.reduce((sum, one) => sum + one, 0)
}

function readIn(reading: Reading, files: readonly TrailFile[]): Promise<number> {
  const workerData: ReadingWork = { reading, files }
  const options = { workerData, resourceLimits: { maxYoungGenerationSizeMb: 64 } }
  const worker = new Worker(new URL('./reading-worker.ts', import.meta.url), options)
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** How often each call of each caller came, and how many events there are once copies are dropped. */
const QUESTION = `
SELECT count(*), sum(events) FROM (
  SELECT r.userIdentity.sessionContext.sessionIssuer.arn, r.eventSource, r.eventName, r.awsRegion,
    r.recipientAccountId, r.errorCode, r.requestParameters, substr(r.eventTime, 1, 15), r.userAgent,
    count(DISTINCT r.eventID) AS events
  FROM (SELECT unnest(Records) AS r FROM read_json('FILES', maximum_object_size = 268435456, columns = {Records:
    'STRUCT(eventTime VARCHAR, eventID VARCHAR, eventSource VARCHAR, eventName VARCHAR, awsRegion VARCHAR,
      recipientAccountId VARCHAR, errorCode VARCHAR, userAgent VARCHAR, requestParameters JSON,
      userIdentity STRUCT(sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR))))[]'}))
  GROUP BY ALL)`

export async function duckDb(folder: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection.runAndReadAll(
      QUESTION.replace('FILES', `${folder}/**/*.json.gz`),
    )
    return Number(result.getRows()[0]?.[1])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export function hasJq(): boolean {
  return spawnSync('jq', ['--version']).status === 0
}

/** CPU of zcat and jq together, as the shell tells it; they are children and not of this process. */
export function jq(files: readonly TrailFile[]): Took {
  const begun = performance.now()
  const program =
    '.Records[] | [.userIdentity.sessionContext.sessionIssuer.arn, .eventName, .requestParameters]'
  const script = 'zcat "$@" | jq -c "$0" > /dev/null; times'
  const said = execFileSync('sh', [
    '-c',
    script,
    program,
    ...files.map(({ path }) => path),
  ]).toString()
  // The second line of `times` is of the children: user and system, each as 0m1.23s.
  const children = said.trim().split('\n').at(-1) ?? ''
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  )
  return {
    cpuSeconds: seconds.reduce((sum, one) => sum + one, 0),
    wallSeconds: (performance.now() - begun) / 1000,
  }
}
