// Calls that act through others, whole path: what a schedule, an alarm, a function or a machine would do
// is what is decided, reviewed and held to (red team C7, H7, H8). Answers of the fake AWS are in the
// shapes of its API reference.
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type FakeAnswer,
  type FakeUpstream,
  type Seen,
  startFakeUpstream,
} from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys } from './harness.ts'
import { queryCall, type RawAnswer, type RawCall, rawCall } from './wire.ts'

const DEVELOPMENT = [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' as const }]
const OBSERVED = [{ name: 'development', accounts: [ACCOUNT], mode: 'observe' as const }]
const DEV_ROLE = `arn:aws:iam::${ACCOUNT}:role/dev-worker`
const WIDE_ROLE = `arn:aws:iam::${ACCOUNT}:role/wide-worker`
const REACH = { [DEV_ROLE]: ['development'], [WIDE_ROLE]: ['development', 'production'] }
const FUNCTION = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:resize`
const MACHINE = `arn:aws:states:eu-west-1:${ACCOUNT}:stateMachine:nightly`

let upstream: FakeUpstream
let gate: Harness | undefined

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate?.checkLedger()
  await gate?.stop()
  gate = undefined
  await upstream.close()
})

async function agentIn(options: Partial<HarnessOptions> = {}): Promise<Keys> {
  gate = await Harness.start({
    upstream: upstream.url,
    environments: DEVELOPMENT,
    roleReach: REACH,
    ...options,
  })
  return gate.open('alice')
}

/** Answers by operation; what is not named is done. */
function answers(byName: Readonly<Record<string, unknown>>): (seen: Seen) => FakeAnswer {
  return ({ operation }) => ({ status: 200, body: JSON.stringify(byName[operation] ?? {}) })
}

const CONFIGURATION = 'GET /2015-03-31/functions/resize/configuration'
const CODE = 'PUT /2015-03-31/functions/resize/code'
const functionUnder = (Role: string, CodeSha256 = 'abc=') => ({
  [CONFIGURATION]: {
    FunctionArn: FUNCTION,
    Role,
    CodeSha256,
    RevisionId: CodeSha256,
    Version: '$LATEST',
  },
})
const json = (service: string, target: string, body: object): RawCall => ({
  service,
  headers: [
    ['content-type', 'application/x-amz-json-1.0'],
    ['x-amz-target', target],
  ],
  body: JSON.stringify(body),
})
const rest = (service: string, line: string, body: object): RawCall => {
  const [method = '', target = ''] = line.split(' ')
  return {
    service,
    method,
    target,
    headers: [['content-type', 'application/json']],
    body: JSON.stringify(body),
  }
}
const updateCode = rest('lambda', CODE, { ZipFile: 'UEsDBA==' })
const done = (name: string) => upstream.seen.filter(({ operation }) => operation === name).length
const shown = async (answer: RawAnswer) => {
  const { document } = await (gate as Harness).client.get<{ document: string }>(
    `/api/requests/${idIn(answer)}`,
  )
  return JSON.parse(document)
}

test('H8 dev Lambda whose role reaches production needs review', async () => {
  upstream.script = answers(functionUnder(WIDE_ROLE))
  const keys = await agentIn()
  const held = await rawCall(keys, updateCode)
  const document = await shown(held)
  expect(document.requirement).toContain('sre:1')
  expect(document.evidence.reaches).toEqual([
    { role: WIDE_ROLE, environments: ['development', 'production'] },
  ])
  expect(done(CODE)).toBe(0)
  await gate?.review('bob', idIn(held))
  expect((await rawCall(keys, updateCode)).status).toBe(200)
  expect(done(CODE)).toBe(1)
})

test('H8 the same call passes where the role stays in development', async () => {
  upstream.script = answers(functionUnder(DEV_ROLE))
  expect((await rawCall(await agentIn(), updateCode)).status).toBe(200)
  expect(done(CODE)).toBe(1)
})

test.each([
  ['is not in the data', functionUnder(`arn:aws:iam::${ACCOUNT}:role/stranger`)],
  ['could not be read', { [CONFIGURATION]: { FunctionName: 'resize' } }],
  ['is no ARN', functionUnder('wide-worker')],
])('H8 a role that %s is production', async (_, script) => {
  upstream.script = answers(script)
  const held = await rawCall(await agentIn(), updateCode)
  expect((await shown(held)).requirement).toContain('sre:1')
  expect(done(CODE)).toBe(0)
})

test('H8 invoking a dev function is decided by its role too', async () => {
  const invoke = rest('lambda', 'POST /2015-03-31/functions/resize/invocations', {})
  upstream.script = answers(functionUnder(WIDE_ROLE))
  const keys = await agentIn()
  expect((await shown(await rawCall(keys, invoke))).requirement).toContain('sre:1')
  upstream.script = answers(functionUnder(DEV_ROLE))
  expect(
    (await rawCall(keys, rest('lambda', 'POST /2015-03-31/functions/resize/invocations', { a: 1 })))
      .status,
  ).toBe(200)
})

test('H8 observing development lets nothing pass that acts in production', async () => {
  upstream.script = answers(functionUnder(WIDE_ROLE))
  const held = await rawCall(await agentIn({ environments: OBSERVED }), updateCode)
  expect(idIn(held)).toMatch(/^r-/)
  expect(done(CODE)).toBe(0)
})

test('H8 editing or passing a role counts where the role reaches, looking at it does not', async () => {
  const keys = await agentIn()
  const put = (RoleName: string) =>
    rawCall(
      keys,
      queryCall(
        'iam',
        {
          Action: 'TagRole',
          Version: '2010-05-08',
          RoleName,
          'Tags.member.1.Key': 'a',
          'Tags.member.1.Value': 'b',
        },
        { region: 'us-east-1' },
      ),
    )
  expect((await put('dev-worker')).status).toBe(200)
  expect((await shown(await put('wide-worker'))).requirement).toEqual(['any:1'])
  const look = queryCall(
    'iam',
    { Action: 'GetRole', Version: '2010-05-08', RoleName: 'wide-worker' },
    { region: 'us-east-1' },
  )
  expect((await rawCall(keys, look)).status).toBe(200)
})

const schedule = (RoleArn: string) =>
  rest('scheduler', 'POST /schedules/nightly', {
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: 'arn:aws:scheduler:::aws-sdk:rds:deleteDBCluster',
      RoleArn,
      Input: '{"DbClusterIdentifier":"orders","SkipFinalSnapshot":true}',
    },
  })

test('H7 a schedule that deletes a cluster is reviewed as that delete', async () => {
  const keys = await agentIn({ environments: [] })
  const document = await shown(await rawCall(keys, schedule(DEV_ROLE)))
  expect(document.action.effects.at(-1)).toBe('destroy')
  expect(document.action.innerCalls).toMatchObject([
    { operation: 'rds:DeleteDBCluster', at: 'Target', role: DEV_ROLE },
  ])
  expect(document.requirement).toEqual(['sre:1'])
  expect(document.action.resources.map(({ arn }: { arn: string }) => arn)).toContain(
    `arn:aws:rds:eu-west-1:${ACCOUNT}:cluster:orders`,
  )
  expect(done('POST /schedules/nightly')).toBe(0)
})

test('H7 a schedule that drops a table of development passes under a role of development alone', async () => {
  const drops = (name: string, RoleArn: string) =>
    rest('scheduler', `POST /schedules/${name}`, {
      ScheduleExpression: 'rate(1 day)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: 'arn:aws:scheduler:::aws-sdk:dynamodb:deleteTable',
        RoleArn,
        Input: '{"TableName":"scratch"}',
      },
    })
  const keys = await agentIn()
  expect((await rawCall(keys, drops('a', DEV_ROLE))).status).toBe(200)
  expect((await shown(await rawCall(keys, drops('b', WIDE_ROLE)))).requirement).toEqual(['sre:1'])
})

test('H7 an alarm that terminates an instance is reviewed as a terminate', async () => {
  const alarm = (action: string) =>
    queryCall('monitoring', {
      Action: 'PutMetricAlarm',
      Version: '2010-08-01',
      AlarmName: 'busy',
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: '1',
      'Dimensions.member.1.Name': 'InstanceId',
      'Dimensions.member.1.Value': 'i-0123456789abcdef0',
      'AlarmActions.member.1': action,
    })
  const keys = await agentIn({ environments: [] })
  const ends = await shown(await rawCall(keys, alarm('arn:aws:automate:eu-west-1:ec2:terminate')))
  expect(ends.action.effects).toEqual(['write', 'destroy'])
  expect(ends.requirement).toEqual(['sre:1'])
  const tells = await shown(await rawCall(keys, alarm(`arn:aws:sns:eu-west-1:${ACCOUNT}:told`)))
  expect(tells.requirement).toEqual(['any:1'])
})

const task = (Resource: string, Parameters: object) =>
  JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Task', Resource, Parameters, End: true } } })
const machine = (definition: string, roleArn = DEV_ROLE) => ({
  DescribeStateMachine: { stateMachineArn: MACHINE, roleArn, revisionId: 'r1', definition },
})
const start = json('states', 'AWSStepFunctions.StartExecution', {
  stateMachineArn: MACHINE,
  input: '{}',
})

test('H7 starting a stored machine is decided by what its definition does', async () => {
  const drop = task('arn:aws:states:::aws-sdk:dynamodb:deleteTable', { TableName: 'orders' })
  upstream.script = answers(machine(drop))
  const keys = await agentIn({
    environments: [{ name: 'staging', accounts: [ACCOUNT], mode: 'enforce' }],
    roleReach: { [DEV_ROLE]: ['staging'] },
  })
  const document = await shown(await rawCall(keys, start))
  expect(document.evidence.innerCalls).toMatchObject([{ operation: 'dynamodb:DeleteTable' }])
  expect(document.evidence.binding.runs[0]).toMatchObject({ role: DEV_ROLE, revisionId: 'r1' })
  expect(done('StartExecution')).toBe(0)
})

test('C4 a machine that makes keys is not started, whatever its environment', async () => {
  upstream.script = answers(
    machine(task('arn:aws:states:::aws-sdk:iam:createAccessKey', { UserName: 'ci' })),
  )
  const refused = await rawCall(await agentIn(), start)
  expect(refused.body).toContain('credential')
  expect(done('StartExecution')).toBe(0)
})

test('C7 a machine whose definition changed after its approval is not started', async () => {
  const sends = (text: string) =>
    machine(
      task('arn:aws:states:::sns:publish', {
        TopicArn: `arn:aws:sns:eu-west-1:${ACCOUNT}:t`,
        Message: text,
      }),
    )
  upstream.script = answers(sends('hello'))
  const keys = await agentIn({ environments: [] })
  const held = await rawCall(keys, start)
  await gate?.review('bob', idIn(held))
  upstream.script = answers(sends('other'))
  expect((await rawCall(keys, start)).body).toContain('has changed since it was approved')
  expect(done('StartExecution')).toBe(0)
  expect((await gate?.entries())?.at(-2)).toMatchObject({ type: 'grant-revoked' })
})

test('C7 a function whose code changed after its approval is not invoked', async () => {
  const invoke = rest('lambda', 'POST /2015-03-31/functions/resize/invocations', {})
  upstream.script = answers(functionUnder(DEV_ROLE, 'one='))
  const keys = await agentIn({ environments: [] })
  const held = await rawCall(keys, invoke)
  await gate?.review('bob', idIn(held))
  upstream.script = answers(functionUnder(DEV_ROLE, 'two='))
  expect((await rawCall(keys, invoke)).body).toContain('has changed since it was approved')
  expect(done('POST /2015-03-31/functions/resize/invocations')).toBe(0)
})

test('C7 a document at its latest version is held to its content', async () => {
  const content = (command: string) => ({
    GetDocument: {
      Name: 'fix',
      DocumentVersion: '3',
      DocumentFormat: 'JSON',
      Content: `{"schemaVersion":"2.2","run":"${command}"}`,
    },
  })
  const send = json('ssm', 'AmazonSSM.SendCommand', {
    DocumentName: 'fix',
    DocumentVersion: '$LATEST',
    Targets: [{ Key: 'tag:app', Values: ['web'] }],
  })
  upstream.script = answers(content('ls'))
  const keys = await agentIn({ environments: [] })
  const held = await rawCall(keys, send)
  expect((await shown(held)).evidence.binding.document).toMatchObject({ name: 'fix', version: '3' })
  await gate?.review('bob', idIn(held))
  upstream.script = answers(content('rm'))
  expect((await rawCall(keys, send)).body).toContain('has changed since it was approved')
  expect(done('SendCommand')).toBe(0)
})

test('C7 code in a bucket is held to the object that was approved', async () => {
  const fromBucket = rest('lambda', CODE, { S3Bucket: 'artifacts', S3Key: 'resize.zip' })
  const at =
    (etag: string) =>
    (seen: Seen): FakeAnswer =>
      seen.operation.startsWith('HEAD /artifacts')
        ? { status: 200, headers: { etag, 'x-amz-version-id': etag }, body: '' }
        : answers(functionUnder(DEV_ROLE))(seen)
  upstream.script = at('"one"')
  const keys = await agentIn({ environments: [] })
  const held = await rawCall(keys, fromBucket)
  expect((await shown(held)).evidence.binding.code).toMatchObject({ etag: '"one"' })
  await gate?.review('bob', idIn(held))
  upstream.script = at('"two"')
  expect((await rawCall(keys, fromBucket)).body).toContain('has changed since it was approved')
  expect(done(CODE)).toBe(0)
})

test('an update of a stack is turned into a change set, by the exact command and without values', async () => {
  const update = queryCall('cloudformation', {
    Action: 'UpdateStack',
    Version: '2010-05-15',
    StackName: 'shop',
    TemplateURL: 'https://artifacts.s3.amazonaws.com/shop.yaml?X-Amz-Signature=abcdef',
    'Parameters.member.1.ParameterKey': 'DbPassword',
    'Parameters.member.1.ParameterValue': 'hunter22-hunter22',
    'Parameters.member.2.ParameterKey': 'Size',
    'Parameters.member.2.UsePreviousValue': 'true',
    'Capabilities.member.1': 'CAPABILITY_IAM',
  })
  const keys = await agentIn({ environments: [] })
  const { body } = await rawCall(keys, update)
  expect(body).toContain(
    'aws cloudformation create-change-set --stack-name shop --change-set-name for-review ' +
      '--template-url https://artifacts.s3.amazonaws.com/shop.yaml ' +
      '--parameters ParameterKey=DbPassword,ParameterValue=VALUE ParameterKey=Size,UsePreviousValue=true ' +
      '--capabilities CAPABILITY_IAM --region eu-west-1',
  )
  expect(body).toContain('aws cloudformation execute-change-set --stack-name shop')
  expect(body).not.toMatch(/hunter22|X-Amz-Signature/)
  expect(done('UpdateStack')).toBe(0)
  const entries = await gate?.entries()
  expect(entries?.at(-1)).toMatchObject({ type: 'denied', code: 'change_set_first' })
  expect(JSON.stringify(entries)).not.toMatch(/hunter22|X-Amz-Signature/)
})
