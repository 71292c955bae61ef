// What a trail says of a call, as the gate would have described the request itself. Expected names are
// those of the API and Service Authorization references; the published trails are read where the shared
// data is there.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PlainWalker } from '../trail/event-walker.ts'
import { readTrailFile } from '../trail/read-trail-file.ts'
import { trailFiles } from '../trail/trail-files.ts'
import { type RecordedCall, recordedCall } from './recorded-call.ts'

const HERE = { eventType: 'AwsApiCall', region: 'eu-west-1', account: '111122223333' }

function meaning(
  source: string,
  eventName: string,
  parameters: unknown,
  more: Partial<RecordedCall> = {},
) {
  const eventSource = `${source}.amazonaws.com`
  const recorded = recordedCall({
    ...HERE,
    eventSource,
    eventName,
    parameters: JSON.stringify(parameters),
    ...more,
  })
  if (recorded.is !== 'mapped') throw new Error(recorded.is)
  return recorded.meaning
}

const arns = (of: ReturnType<typeof meaning>) => of.resources.map(({ arn }) => arn)

describe('operation, actions, resources and effects', () => {
  test.each([
    [
      'dynamodb',
      'DeleteTable',
      { tableName: 'orders' },
      'dynamodb:DeleteTable',
      'arn:aws:dynamodb:eu-west-1:111122223333:table/orders',
      'destroy',
    ],
    [
      'lambda',
      'DeleteFunction20150331',
      { functionName: 'f' },
      'lambda:DeleteFunction',
      'arn:aws:lambda:eu-west-1:111122223333:function:f',
      'destroy',
    ],
    [
      'ec2',
      'TerminateInstances',
      { instancesSet: { items: [{ instanceId: 'i-0dbc91f429e48eeed' }] } },
      'ec2:TerminateInstances',
      'arn:aws:ec2:eu-west-1:111122223333:instance/i-0dbc91f429e48eeed',
      'destroy',
    ],
    [
      'ec2',
      'DeleteNatGateway',
      { DeleteNatGatewayRequest: { NatGatewayId: 'nat-0dd264ee104155137' } },
      'ec2:DeleteNatGateway',
      'arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-0dd264ee104155137',
      'destroy',
    ],
    [
      'rds',
      'DeleteDBSnapshot',
      { dBSnapshotIdentifier: 's' },
      'rds:DeleteDBSnapshot',
      'arn:aws:rds:eu-west-1:111122223333:snapshot:s',
      'destroy',
    ],
    [
      's3',
      'DeleteBucket',
      { bucketName: 'data', Host: 'data.s3.amazonaws.com' },
      's3:DeleteBucket',
      'arn:aws:s3:::data',
      'destroy',
    ],
    [
      'iam',
      'DeleteRole',
      { roleName: 'ci' },
      'iam:DeleteRole',
      'arn:aws:iam::111122223333:role/ci',
      'destroy',
    ],
    [
      'cloudtrail',
      'StopLogging',
      { name: 'arn:aws:cloudtrail:eu-west-1:111122223333:trail/t' },
      'cloudtrail:StopLogging',
      'arn:aws:cloudtrail:eu-west-1:111122223333:trail/t',
      'stop',
    ],
    [
      'cloudformation',
      'DeleteStack',
      { stackName: 'cost-explorer' },
      'cloudformation:DeleteStack',
      'arn:aws:cloudformation:eu-west-1:111122223333:stack/cost-explorer/*',
      'destroy',
    ],
  ] as const)('%s %s', (source, name, parameters, action, arn, effect) => {
    const found = meaning(source, name, parameters)
    expect(found.iamActions).toContain(action)
    expect(arns(found)).toContain(arn)
    expect(found.effects).toContain(effect)
  })
  test('renamed, and of another model', () => {
    expect(meaning('s3', 'GetBucketPublicAccessBlock', { bucketName: 'b' }).iamActions).toEqual([
      's3:GetBucketPublicAccessBlock',
    ])
    expect(meaning('monitoring', 'DeleteAlarms', { alarmNames: ['a'] }).iamActions).toEqual([
      'cloudwatch:DeleteAlarms',
    ])
  })
  test('a passed role is derived: no event says it', () => {
    const role = 'arn:aws:iam::111122223333:role/exec'
    const found = meaning('lambda', 'CreateFunction20150331', { functionName: 'f', role })
    expect(found.iamActions).toContain('iam:PassRole')
    expect(arns(found)).toContain(role)
  })
})

describe('what the trail does not tell is wider, never narrower', () => {
  test('hidden, missing or strange parameters leave `*`, not resolved', () => {
    for (const parameters of [null, {}, { tableNames: 'orders' }, { tableName: { a: 1 } }]) {
      const found = meaning('dynamodb', 'DeleteTable', parameters)
      expect(found.resources).toContainEqual(expect.objectContaining({ arn: '*', resolved: false }))
      expect(found.effects).toContain('destroy')
    }
    for (const parameters of ['', '{"a":', '{"tableName":"x","tableName":"y"}', '[]']) {
      const eventSource = 'dynamodb.amazonaws.com'
      const recorded = recordedCall({ ...HERE, eventSource, eventName: 'DeleteTable', parameters })
      expect(recorded).toMatchObject({ is: 'mapped', parametersKnown: false })
    }
  })
  test('an unknown service or operation is unmapped, by name, and never a read', () => {
    const of = (eventSource: string, eventName: string) =>
      recordedCall({ ...HERE, eventSource, eventName, parameters: '{}' })
    expect(of('nothing.amazonaws.com', 'GetIt')).toEqual({ is: 'unmapped', why: 'unknown service' })
    expect(of('s3.amazonaws.com', 'GetEverything')).toEqual({
      is: 'unmapped',
      why: 'unknown operation',
    })
    expect(of('s3.amazonaws.com', 'constructor')).toEqual({
      is: 'unmapped',
      why: 'unknown operation',
    })
    expect(of('__proto__.amazonaws.com', 'toString').is).toBe('unmapped')
  })
  test('a sign-in and a service event ask for no permission', () => {
    const event = { ...HERE, eventSource: 'signin.amazonaws.com', parameters: 'null' }
    const eventType = 'AwsConsoleSignIn'
    expect(recordedCall({ ...event, eventName: 'ConsoleLogin', eventType }).is).toBe(
      'not-an-api-call',
    )
  })
})

const TRAILS = join(import.meta.dirname, '../../../../../shared/data/cloudtrail')

test.skipIf(!existsSync(TRAILS))(
  'at least 99.5 % of the calls in the published trails are mapped (skipped where the shared data is not there)',
  async () => {
    const unmapped: string[] = []
    let calls = 0
    for (const file of trailFiles([TRAILS])) {
      const walker = new PlainWalker((event) => {
        const recorded = recordedCall({
          eventSource: event.text('eventSource'),
          eventName: event.text('eventName'),
          eventType: event.text('eventType'),
          region: event.text('awsRegion'),
          account: event.text('recipientAccountId'),
          parameters: event.raw('requestParameters'),
        })
        if (recorded.is === 'not-an-api-call') return
        calls += 1
        if (recorded.is === 'unmapped')
          unmapped.push(`${event.text('eventSource')} ${event.text('eventName')}`)
      })
      const read = await readTrailFile(file, walker)
      expect(read.fault).toBe(null)
    }
    expect(calls).toBeGreaterThan(3_200)
    expect(unmapped.length / calls, unmapped.join(', ')).toBeLessThan(0.005)
  },
)
