// Makes a trail of a made-up account from a seed: weeks of everyday calls, and in one of them an agent that
// deletes an environment and makes it again, as in December 2025. It is the sample of the documentation and
// what is measured by the bench; no event of it was recorded anywhere.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ACCOUNT, type CallerName, type CallerSession, REGION, sessionOf } from './callers.ts'
import { type MadeCall, nextCall } from './calls.ts'
import { Random } from './random.ts'

export interface MadeTrail {
  readonly seed: number
  readonly events: number
  readonly weeks: number
  /** Events of one file; CloudTrail's own have some hundreds to thousands. */
  readonly fileEvents: number
  /** Monday of the first week, in seconds since 1970. */
  readonly from: number
}

/** The small one that is in the repository. */
export const SAMPLE: MadeTrail = {
  seed: 12,
  events: 1_800,
  weeks: 6,
  fileEvents: 300,
  from: Date.parse('2025-11-10T00:00:00Z') / 1000,
}

const WEEK = 7 * 86_400
/** How often of 100 sessions each caller begins one. */
const SESSIONS: readonly (readonly [CallerName, number])[] = [
  ['monitoring', 34],
  ['shop', 24],
  ['pipeline', 14],
  ['reports', 10],
  ['cloudFormation', 8],
  ['person', 6],
  ['agent', 4],
]
const SESSION_EVENTS_MAX = 120

/** Writes the trail under the folder as CloudTrail lays it out; the number of files. */
export function writeTrail(folder: string, made: MadeTrail): number {
  let files = 0
  let records: string[] = []
  const flush = (seconds: number) => {
    if (records.length === 0) return
    const day = iso(seconds).slice(0, 10).split('-')
    const at = join(folder, 'AWSLogs', ACCOUNT, 'CloudTrail', REGION, ...day)
    mkdirSync(at, { recursive: true })
    const stamp = iso(seconds)
      .replace(/[-:]/g, '')
      .replace(/\d\dZ$/, 'Z')
    const name = `${ACCOUNT}_CloudTrail_${REGION}_${stamp}_${String(files).padStart(6, '0')}.json.gz`
    // Level 6 is what gzip itself takes, and near to what CloudTrail delivers.
    writeFileSync(join(at, name), gzipSync(`{"Records":[${records.join(',')}]}`, { level: 6 }))
    records = []
    files++
  }
  let last = made.from
  for (const { seconds, text } of eventsOf(made)) {
    records.push(text)
    last = seconds
    if (records.length === made.fileEvents) flush(seconds)
  }
  flush(last)
  return files
}

/**
 * The events, session by session: those of one come together, as work does, so that sessions overlap and the
 * order of time is only nearly kept, as in CloudTrail's own files.
 */
export function* eventsOf(made: MadeTrail): Generator<{ seconds: number; text: string }> {
  const random = new Random(made.seed)
  const step = (made.weeks * WEEK) / made.events
  const december = decemberOf(made)
  let isStaged = false
  for (let index = 0; index < made.events; ) {
    let seconds = Math.floor(made.from + index * step)
    if (!isStaged && (december[0]?.seconds ?? 0) <= seconds) {
      isStaged = true
      yield* december
    }
    const name = callerAt(random)
    const session = sessionOf(name, iso(seconds), random)
    const count = Math.min(1 + random.below(SESSION_EVENTS_MAX), made.events - index)
    for (let one = 0; one < count; one++) {
      const call = nextCall(name, random, seconds)
      yield { seconds, text: eventText(call, session, seconds, random) }
      seconds += 1 + random.below(20)
    }
    index += count
  }
  if (!isStaged) yield* december
}

function callerAt(random: Random): CallerName {
  let draw = random.below(100)
  for (const [name, often] of SESSIONS) {
    if (draw < often) return name
    draw -= often
  }
  return 'monitoring'
}

/**
 * Monday of the last week but one, half past nine: the agent looks, deletes the environment of the cost
 * explorer, and makes it again. What CloudFormation deletes for it is recorded as its calls.
 */
function decemberOf(made: MadeTrail): { seconds: number; text: string }[] {
  const random = new Random(made.seed + 1)
  const from = made.from + (made.weeks - 2) * WEEK + 9.5 * 3_600
  const agent = sessionOf('agent', iso(from), random)
  const stacks = sessionOf('cloudFormation', iso(from), random)
  const stack = { stackName: 'cost-explorer' }
  const stackId = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/cost-explorer/${random.uuid()}`
  const of = (
    source: string,
    name: string,
    parameters: object,
    answer: object | null = null,
  ): MadeCall => {
    return { source, name, parameters, answer, readOnly: /^(Get|List|Describe)/.test(name) }
  }
  const deeds: readonly (readonly [number, CallerSession, MadeCall])[] = [
    [0, agent, of('cloudformation', 'DescribeStacks', stack)],
    [20, agent, of('cloudformation', 'DescribeStackEvents', stack)],
    [45, agent, of('dynamodb', 'DescribeTable', { tableName: 'cost-explorer-settings' })],
    [90, agent, of('cloudformation', 'DeleteStack', stack)],
    [96, stacks, of('dynamodb', 'DeleteTable', { tableName: 'cost-explorer-settings' })],
    [
      99,
      stacks,
      of('s3', 'DeleteBucket', {
        bucketName: 'cost-explorer-data-example',
        Host: `s3.${REGION}.amazonaws.com`,
      }),
    ],
    [104, stacks, of('iam', 'DeleteRole', { roleName: 'cost-explorer-reader' })],
    [
      330,
      agent,
      of(
        'cloudformation',
        'CreateStack',
        {
          ...stack,
          templateURL: 'https://example-templates.s3.amazonaws.com/cost-explorer.yaml',
          capabilities: ['CAPABILITY_IAM'],
        },
        { stackId },
      ),
    ],
    [
      336,
      stacks,
      of('dynamodb', 'CreateTable', {
        tableName: 'cost-explorer-settings',
        billingMode: 'PAY_PER_REQUEST',
        keySchema: [{ attributeName: 'id', keyType: 'HASH' }],
        attributeDefinitions: [{ attributeName: 'id', attributeType: 'S' }],
      }),
    ],
    [
      340,
      stacks,
      of('s3', 'CreateBucket', {
        bucketName: 'cost-explorer-data-example',
        Host: `s3.${REGION}.amazonaws.com`,
      }),
    ],
    [420, agent, of('cloudformation', 'DescribeStacks', stack)],
  ]
  return deeds.map(([after, session, call]) => {
    const seconds = Math.floor(from + after)
    return { seconds, text: eventText(call, session, seconds, random) }
  })
}

function eventText(
  call: MadeCall,
  session: CallerSession,
  seconds: number,
  random: Random,
): string {
  const { source, name, readOnly, parameters, answer, errorCode } = call
  const host = `${source}.${REGION}.amazonaws.com`
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: session.identity,
    eventTime: iso(seconds),
    eventSource: `${source}.amazonaws.com`,
    eventName: name,
    awsRegion: REGION,
    sourceIPAddress: session.sourceIPAddress,
    userAgent: session.userAgent,
    ...(errorCode !== undefined && {
      errorCode,
      errorMessage: `User is not authorized to perform: ${source}:${name}`,
    }),
    requestParameters: parameters,
    responseElements: answer,
    requestID: random.uuid(),
    eventID: random.uuid(),
    readOnly,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: host,
    },
  })
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
