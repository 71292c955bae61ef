// What calls make others do, through the public door: requests in, inner calls out (redteam H7). The
// names of operations, members and ARNs are those of the pages named in acts-for-others.json.

import { expect, test } from 'vitest'
import type { Call } from '../call.ts'
import { CallError } from '../call-errors.ts'
import { describeCall } from '../describe-call.ts'

function described(
  service: string,
  line: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Call {
  const [method = '', target = ''] = line.split(' ')
  const request = { method, target, headers: Object.entries(headers), body: Buffer.from(body) }
  return describeCall(request, { service, region: 'eu-west-1' }, { account: '123456789012' })
}

const json = (service: string, target: string, body: object): Call =>
  described(
    service,
    'POST /',
    { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
    JSON.stringify(body),
  )
const rest = (service: string, line: string, body: object): Call =>
  described(service, line, { 'content-type': 'application/json' }, JSON.stringify(body))
const form = (service: string, body: string): Call =>
  described(service, 'POST /', { 'content-type': 'application/x-www-form-urlencoded' }, body)
const inner = (call: Call) =>
  (call.innerCalls ?? []).map(({ operation, at }) => `${operation} ${at}`)
const arns = (call: Call) => call.resources.map(({ arn }) => arn)

const ROLE = 'arn:aws:iam::123456789012:role/scheduler'
const schedule = (Target: object): Call =>
  rest('scheduler', 'POST /schedules/nightly', {
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { RoleArn: ROLE, ...Target },
  })

test('H7 a schedule that deletes a cluster is a delete of that cluster', () => {
  const call = schedule({
    Arn: 'arn:aws:scheduler:::aws-sdk:rds:deleteDBCluster',
    Input: JSON.stringify({ DbClusterIdentifier: 'orders', SkipFinalSnapshot: true }),
  })
  expect(inner(call)).toEqual(['rds:DeleteDBCluster Target'])
  expect(call.effects.at(-1)).toBe('destroy')
  expect(call.effects).not.toContain('opaque')
  expect(call.iamActions).toContain('rds:DeleteDBCluster')
  expect(call.ownActions).toEqual(['scheduler:CreateSchedule', 'iam:PassRole'])
  expect(arns(call)).toContain('arn:aws:rds:eu-west-1:123456789012:cluster:orders')
  const cluster = call.resources.find(({ arn }) => arn.endsWith(':cluster:orders'))
  expect(cluster).toMatchObject({ inner: true, resolved: true })
  expect(call.innerCalls?.[0]?.role).toBe(ROLE)
})

test('H7 a schedule that only notifies is a write, and one that nobody can read is opaque', () => {
  const topic = 'arn:aws:sns:eu-west-1:123456789012:told'
  const told = schedule({ Arn: topic, Input: '"hello"' })
  expect(inner(told)).toEqual(['sns:Publish Target'])
  expect(told.effects).toEqual(['write'])
  for (const Arn of [
    'arn:aws:scheduler:::aws-sdk:rds:obliterateEverything',
    'arn:aws:scheduler:::aws-sdk:nosuch:deleteDBCluster',
    'arn:aws:scheduler:::http:post',
    'not an arn',
  ]) {
    expect(schedule({ Arn, Input: '{}' }).effects).toContain('opaque')
  }
})

test('H7 a schedule whose input is dynamic, doubled or no JSON names nothing for certain', () => {
  const Arn = 'arn:aws:scheduler:::aws-sdk:rds:deleteDBCluster'
  for (const Input of [
    '{"DbClusterIdentifier":"<aws.scheduler.execution-id>"}',
    '{"DbClusterIdentifier":"a","dbClusterIdentifier":"b"}',
    '{"DbClusterIdentifier":"a","DbClusterIdentifier":"b"}',
    '{"__proto__":{"DbClusterIdentifier":"a"}}',
    'orders',
  ]) {
    const call = schedule({ Arn, Input })
    expect(call.effects).toEqual(expect.arrayContaining(['opaque', 'destroy']))
    expect(arns(call)).toContain('*')
    expect(arns(call).join()).not.toMatch(/cluster:[ab]\b/)
  }
})

test('H7 an alarm that terminates an instance is a terminate of it', () => {
  const alarm = (action: string) =>
    form(
      'monitoring',
      'Action=PutMetricAlarm&Version=2010-08-01&AlarmName=a&ComparisonOperator=LessThanThreshold' +
        '&EvaluationPeriods=1&Dimensions.member.1.Name=InstanceId' +
        `&Dimensions.member.1.Value=i-0123456789abcdef0&AlarmActions.member.1=${encodeURIComponent(action)}`,
    )
  const call = alarm('arn:aws:automate:eu-west-1:ec2:terminate')
  expect(inner(call)).toEqual(['ec2:TerminateInstances AlarmActions.0'])
  expect(call.effects.at(-1)).toBe('destroy')
  expect(arns(call)).toContain('arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0')
  const old = 'arn:aws:swf:eu-west-1:123456789012:action/actions/AWS_EC2.InstanceId.Stop/1.0'
  expect(alarm(old).effects).toEqual(['write', 'stop'])
  expect(alarm('arn:aws:sns:eu-west-1:123456789012:told').effects).toEqual(['write'])
  expect(alarm('arn:aws:automate:eu-west-1:ec2:unheard').effects).toContain('opaque')
  expect(alarm('arn:aws:lambda:eu-west-1:123456789012:function:f').effects).toContain('opaque')
})

const machine = (States: object, more: object = {}): Call =>
  json('states', 'AWSStepFunctions.CreateStateMachine', {
    name: 'm',
    roleArn: ROLE,
    definition: JSON.stringify({ StartAt: 'A', States, ...more }),
  })

test('H7 every task of a state machine, in branches and maps too, is a call of its own', () => {
  const drop = {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:dynamodb:deleteTable',
    Parameters: { TableName: 'orders' },
    End: true,
  }
  const call = machine({
    A: { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: drop } }], Next: 'C' },
    C: {
      Type: 'Map',
      ItemProcessor: {
        StartAt: 'D',
        States: {
          D: {
            Type: 'Task',
            Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
            Parameters: { FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:f' },
            End: true,
          },
        },
      },
      Next: 'E',
    },
    E: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sqs:sendMessage',
      Arguments: {
        QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/q',
        MessageBody: '{% $states.input %}',
      },
      End: true,
    },
  })
  expect(inner(call)).toEqual([
    'dynamodb:DeleteTable States.A.0.B',
    'lambda:Invoke States.C.D',
    'sqs:SendMessage States.E',
  ])
  expect(call.effects).toEqual(['write', 'opaque', 'destroy'])
  expect(arns(call)).toContain('arn:aws:dynamodb:eu-west-1:123456789012:table/orders')
  expect(call.innerCalls?.[1]?.holder).toBe('lambda-function')
})

test('H7 a state machine that only writes what can be seen is a write, its dynamic twin is not', () => {
  const put = (Parameters: object) =>
    machine({
      A: { Type: 'Task', Resource: 'arn:aws:states:::dynamodb:putItem', Parameters, End: true },
    })
  const table = 'arn:aws:dynamodb:eu-west-1:123456789012:table/log'
  const plain = put({ TableName: 'log', Item: { id: { S: '1' } } })
  expect(plain.effects).toEqual(['write'])
  expect(arns(plain)).toContain(table)
  expect(arns(plain)).not.toContain('*')
  const dynamic = put({ 'TableName.$': '$.table', Item: { id: { S: '1' } } })
  expect(dynamic.effects).toContain('opaque')
  expect(arns(dynamic)).toContain('*')
  const content = put({ TableName: 'log', 'Item.$': '$.item' })
  expect(content.effects).toContain('opaque')
  expect(arns(content)).toContain(table)
})

test('H7 an update that leaves the definition where it is cannot be seen', () => {
  const stateMachineArn = 'arn:aws:states:eu-west-1:123456789012:stateMachine:m'
  const update = (more: object) =>
    json('states', 'AWSStepFunctions.UpdateStateMachine', { stateMachineArn, ...more })
  expect(update({ roleArn: ROLE }).effects).toContain('opaque')
  expect(update({ roleArn: ROLE }).holder).toBe('state-machine')
  const definition = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}'
  expect(update({ definition }).effects).toEqual(['write'])
  const both = { Type: 'Map', Iterator: { States: {} }, ItemProcessor: { States: {} } }
  const text = JSON.stringify({ StartAt: 'A', States: { A: both } })
  expect(update({ definition: text }).effects).toContain('opaque')
})

test('H7 a role of another account in a task is a role of the call', () => {
  const task = (Credentials: object) =>
    machine({
      A: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:s3:listBuckets',
        Credentials,
        End: true,
      },
    })
  const other = 'arn:aws:iam::210987654321:role/far'
  expect(arns(task({ RoleArn: other }))).toContain(other)
  const dynamic = task({ 'RoleArn.$': '$.role' })
  expect(dynamic.resources).toContainEqual(expect.objectContaining({ type: 'role', arn: '*' }))
})

test('C4 a stored call whose answer holds credentials is a credential answer', () => {
  const call = machine({
    A: {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:iam:createAccessKey',
      Parameters: { UserName: 'ci' },
      End: true,
    },
  })
  expect(call.reveals).toBe('credential')
})

test('H7 Cloud Control acts on the type it names', () => {
  const call = json('cloudcontrolapi', 'CloudApiService.DeleteResource', {
    TypeName: 'AWS::RDS::DBInstance',
    Identifier: 'orders',
  })
  expect(inner(call)).toEqual(['rds:DeleteDBInstance TypeName'])
  expect(call.effects).toEqual(['destroy'])
  expect(arns(call)).toContain('arn:aws:rds:eu-west-1:123456789012:db:orders')
  const unknown = json('cloudcontrolapi', 'CloudApiService.DeleteResource', {
    TypeName: 'Acme::Made::Up',
    Identifier: 'x',
  })
  expect(unknown.effects.at(-1)).toBe('destroy')
  expect(arns(unknown)).toContain('*')
  const update = json('cloudcontrolapi', 'CloudApiService.UpdateResource', {
    TypeName: 'AWS::RDS::DBInstance',
    Identifier: 'orders',
    PatchDocument: '[]',
  })
  expect(update.effects).toContain('opaque')
})

test('H7 a rule target, a subscription, a scheduled size and a batch job say what they start', () => {
  const rule = json('events', 'AWSEvents.PutTargets', {
    Rule: 'r',
    Targets: [
      {
        Id: '1',
        Arn: 'arn:aws:events:eu-west-1:123456789012:target/terminate-instance',
        Input: '"i-0123456789abcdef0"',
      },
      { Id: '2', Arn: 'arn:aws:states:eu-west-1:123456789012:stateMachine:m', RoleArn: ROLE },
    ],
  })
  expect(inner(rule)).toEqual([
    'ec2:TerminateInstances Targets.0',
    'states:StartExecution Targets.1',
  ])
  expect(rule.effects.at(-1)).toBe('destroy')
  const subscription = form(
    'sns',
    'Action=Subscribe&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3At' +
      '&Protocol=lambda&Endpoint=arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af',
  )
  expect(inner(subscription)).toEqual(['lambda:Invoke Endpoint'])
  const sizes = form(
    'autoscaling',
    'Action=PutScheduledUpdateGroupAction&Version=2011-01-01&AutoScalingGroupName=web' +
      '&ScheduledActionName=night&MinSize=0&MaxSize=0',
  )
  expect(sizes.effects).toContain('stop')
})

test('H7 an automation document is read step by step, a script in it is not', () => {
  const document = (mainSteps: object[]) =>
    json('ssm', 'AmazonSSM.CreateDocument', {
      Name: 'clean',
      DocumentType: 'Automation',
      Content: JSON.stringify({ schemaVersion: '0.3', assumeRole: '{{ Role }}', mainSteps }),
    })
  const deletes = document([
    {
      name: 'a',
      action: 'aws:executeAwsApi',
      inputs: { Service: 'rds', Api: 'DeleteDBInstance', DBInstanceIdentifier: '{{ Id }}' },
    },
  ])
  expect(inner(deletes)).toEqual(['rds:DeleteDBInstance mainSteps.0'])
  expect(deletes.effects).toEqual(expect.arrayContaining(['destroy', 'opaque']))
  expect(document([{ name: 'a', action: 'aws:executeScript', inputs: {} }]).effects).toContain(
    'opaque',
  )
})

test('H8 a call that places code names where its role is to be looked up', () => {
  const code = rest('lambda', 'PUT /2015-03-31/functions/f/code', { S3Bucket: 'b', S3Key: 'k' })
  expect(code.holder).toBe('lambda-function')
  const named = rest('lambda', 'PUT /2015-03-31/functions/f/configuration', { Role: ROLE })
  expect(arns(named)).toContain(ROLE)
  const job = json('glue', 'AWSGlue.UpdateJob', { JobName: 'j', JobUpdate: { Role: ROLE } })
  expect(job.holder).toBeUndefined()
  expect(arns(job)).toContain(ROLE)
  const byName = json('glue', 'AWSGlue.UpdateJob', { JobName: 'j', JobUpdate: { Role: 'worker' } })
  expect(byName.resources).toContainEqual(expect.objectContaining({ type: 'role', arn: '*' }))
  const unnamed = rest('lambda', 'PUT /2015-03-31/functions/f/configuration', { Timeout: 3 })
  expect(unnamed.holder).toBe('lambda-function')
})

test('an ordinary call has no inner calls and no extra members', () => {
  const call = json('dynamodb', 'DynamoDB_20120810.DeleteTable', { TableName: 'orders' })
  expect(Object.keys(call)).not.toEqual(expect.arrayContaining(['innerCalls']))
  expect(Object.keys(call)).not.toEqual(expect.arrayContaining(['ownActions']))
  expect(call.holder).toBeUndefined()
})

const nested = (depth: number): object =>
  depth === 0
    ? { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:ec2:terminateInstances', End: true }
    : { Type: 'Map', Iterator: { StartAt: 'N', States: { N: nested(depth - 1) } } }

test('H7 what nests too deep, is too much or too large is opaque, at the limit it is read', () => {
  expect(inner(machine({ A: nested(16) }))).toHaveLength(1)
  expect(machine({ A: nested(16) }).effects).toContain('destroy')
  const deep = machine({ A: nested(40) })
  expect(deep.effects).toContain('opaque')
  const send = {
    Type: 'Task',
    Resource: 'arn:aws:states:::sns:publish',
    Parameters: { TopicArn: 'arn:aws:sns:eu-west-1:123456789012:t', Message: 'm' },
  }
  const many = (count: number) =>
    machine(Object.fromEntries(Array.from({ length: count }, (_, index) => [`S${index}`, send])))
  expect(many(250).effects).toEqual(['write'])
  expect(many(251).effects).toContain('opaque')
  const padded = machine({ A: send }, { Comment: 'x'.repeat(1024 * 1024) })
  expect(padded.effects).toContain('opaque')
})

/** Small and seeded, so that a failure can be run again. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state
  }
}

test('H7 mutated definitions never throw an untyped error, and what they hide is opaque or refused', () => {
  const whole = JSON.stringify({
    StartAt: 'A',
    States: {
      A: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:rds:deleteDBCluster',
        Parameters: { DbClusterIdentifier: 'orders' },
        Next: 'B',
      },
      B: { Type: 'Map', ItemProcessor: { States: { C: nested(3) } } },
    },
  })
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '.$',
    '{%',
    'null',
    '__proto__',
    '\\u0000',
    'States',
    '9e999',
  ]
  const random = numbers(7)
  const next = () => random.next().value as number
  for (let round = 0; round < 2_000; round += 1) {
    let text = whole
    for (let times = 1 + (next() % 4); times > 0; times -= 1) {
      const at = next() % text.length
      const piece = pieces[next() % pieces.length] ?? ''
      text = text.slice(0, at) + piece + text.slice(at + (next() % 6))
    }
    try {
      const call = json('states', 'AWSStepFunctions.CreateStateMachine', {
        name: 'm',
        roleArn: ROLE,
        definition: text,
      })
      const strict = call.effects.includes('destroy') || call.effects.includes('opaque')
      if (!strict) expect(text).not.toMatch(/aws-sdk:(rds:deleteDB|ec2:terminateI)/)
    } catch (error) {
      expect(error).toBeInstanceOf(CallError)
    }
  }
})
