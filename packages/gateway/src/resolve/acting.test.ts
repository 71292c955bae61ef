// What is behind a call that acts for others: the role, the content, the calls in it; and that whatever
// AWS answers instead ends in `*`, never in an error and never in a milder action (redteam C7, H7, H8).
import type { JsonObject } from '@seconder/aws/call'
import { expect, test } from 'vitest'
import { assertRead } from './read-call.ts'
import { resolve } from './resolve.ts'
import { awsAction } from './scripted-upstream.fixture.ts'
import type { Upstream, UpstreamCall } from './upstream.ts'

const ACCOUNT = '123456789012'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`
const MACHINE = `arn:aws:states:eu-west-1:${ACCOUNT}:stateMachine:m`

type Answer = object | string | number

/** `AWSEvents.ListTargetsByRule`, `Action=DescribeInstances`, or the path; a number is a status. */
function upstreamOf(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = []
  const upstream: Upstream = {
    send: (call) => {
      assertRead(call)
      const name = nameOf(call)
      asked.push(name)
      const answer = answers[name] ?? 403
      const body = typeof answer === 'object' ? JSON.stringify(answer) : String(answer)
      const status = typeof answer === 'number' ? answer : 200
      return Promise.resolve({ status, headers: {}, body: Buffer.from(body) })
    },
  }
  return { upstream, asked }
}

function nameOf({ headers, target, body }: UpstreamCall): string {
  const named = headers.find(([name]) => name === 'x-amz-target')?.[1]
  const form = new URLSearchParams(Buffer.from(body).toString())
  return named ?? form.get('Action') ?? target
}

function held(operation: string, holder: string, parameters: JsonObject) {
  return { ...awsAction(operation, parameters, ['opaque']), holder }
}

const runTask = held('ecs:RunTask', 'task-definition', { taskDefinition: 'web:7' })
const ECS = 'AmazonEC2ContainerServiceV20141113'
const task = (more: object) => ({
  [`${ECS}.DescribeTaskDefinition`]: {
    taskDefinition: {
      taskDefinitionArn: `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/web:7`,
      containerDefinitions: [{ image: `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:live` }],
      ...more,
    },
  },
})

test('C7 an image tag is bound by the digest behind it, a digest by itself', async () => {
  const digest = `sha256:${'ab'.repeat(32)}`
  const images = {
    'AmazonEC2ContainerRegistry_V20150921.DescribeImages': {
      imageDetails: [{ imageDigest: digest }],
    },
  }
  const { upstream } = upstreamOf({ ...task({ taskRoleArn: ROLE }), ...images })
  const evidence = await resolve(runTask, upstream)
  expect(evidence.binding['runs']).toMatchObject([{ images: [{ digest }] }])
  expect(evidence.actsUnder).toEqual([ROLE])
  const elsewhere = upstreamOf(
    task({
      taskRoleArn: ROLE,
      containerDefinitions: [{ image: 'docker.io/library/nginx:latest' }],
    }),
  )
  const unpinned = await resolve(runTask, elsewhere.upstream)
  expect(unpinned.couldNotLook.join()).toContain('whose content can change')
})

test('H8 a task without a role of its own may act as its machine, on Fargate as nobody', async () => {
  const anywhere = await resolve(runTask, upstreamOf(task({ executionRoleArn: ROLE })).upstream)
  expect(anywhere.actsUnder).toEqual(['*', ROLE])
  const fargate = task({ executionRoleArn: ROLE, requiresCompatibilities: ['FARGATE'] })
  expect((await resolve(runTask, upstreamOf(fargate).upstream)).actsUnder).toEqual([ROLE])
})

test('H8 a service without a named task definition is looked up first', async () => {
  const update = held('ecs:UpdateService', 'task-definition', { service: 'web', cluster: 'c' })
  const { upstream, asked } = upstreamOf({
    [`${ECS}.DescribeServices`]: { services: [{ taskDefinition: 'web:7' }] },
    ...task({ taskRoleArn: ROLE }),
  })
  expect((await resolve(update, upstream)).actsUnder).toEqual([ROLE])
  expect(asked[0]).toBe(`${ECS}.DescribeServices`)
})

test('H7 enabling a rule is decided by the targets it has, a new rule has none', async () => {
  const rule = held('events:EnableRule', 'rule', { Name: 'nightly' })
  const target = { Id: '1', Arn: `arn:aws:events:eu-west-1:${ACCOUNT}:target/terminate-instance` }
  const { upstream } = upstreamOf({ 'AWSEvents.ListTargetsByRule': { Targets: [target] } })
  const evidence = await resolve(rule, upstream)
  expect(evidence.innerCalls).toMatchObject([{ operation: 'ec2:TerminateInstances' }])
  const more = { Targets: [], NextToken: 'n' }
  const cut = await resolve(rule, upstreamOf({ 'AWSEvents.ListTargetsByRule': more }).upstream)
  expect(cut.actsUnder).toEqual(['*'])
})

const DESCRIBED = (profile: string) =>
  `<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-0123456789abcdef0</instanceId>${profile}</item></instancesSet></item></reservationSet></DescribeInstancesResponse>`
const PROFILE = `<iamInstanceProfile><arn>arn:aws:iam::${ACCOUNT}:instance-profile/web</arn></iamInstanceProfile>`
const ROLES = `<GetInstanceProfileResponse><GetInstanceProfileResult><InstanceProfile><Roles><member><Arn>${ROLE}</Arn></member></Roles></InstanceProfile></GetInstanceProfileResult></GetInstanceProfileResponse>`

test('H8 a command runs under the roles of its machines, found by their profiles', async () => {
  const command = (parameters: JsonObject) =>
    held('ssm:SendCommand', 'managed-instance', { DocumentName: 'fix', ...parameters })
  const document = {
    'AmazonSSM.GetDocument': { Content: '{"schemaVersion":"2.2"}', DocumentVersion: '1' },
  }
  const answers = { ...document, DescribeInstances: DESCRIBED(PROFILE), GetInstanceProfile: ROLES }
  const ids = { InstanceIds: ['i-0123456789abcdef0'] }
  expect((await resolve(command(ids), upstreamOf(answers).upstream)).actsUnder).toEqual([ROLE])
  const bare = { ...answers, DescribeInstances: DESCRIBED('') }
  expect((await resolve(command(ids), upstreamOf(bare).upstream)).actsUnder).toEqual([])
  const tagged = command({ Targets: [{ Key: 'tag:a', Values: ['b'] }] })
  expect((await resolve(tagged, upstreamOf(answers).upstream)).actsUnder).toEqual(['*'])
  const denied = { ...answers, GetInstanceProfile: 403 }
  expect((await resolve(command(ids), upstreamOf(denied).upstream)).actsUnder).toEqual(['*'])
})

test('H8 a machine that starts functions acts under their roles too', async () => {
  const invoke = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: 'f' },
    End: true,
  }
  const definition = JSON.stringify({ StartAt: 'A', States: { A: invoke } })
  const other = `arn:aws:iam::${ACCOUNT}:role/function`
  const { upstream } = upstreamOf({
    'AWSStepFunctions.DescribeStateMachine': { definition, roleArn: ROLE, revisionId: 'r' },
    '/2015-03-31/functions/f/configuration': { FunctionArn: 'arn:f', Role: other },
  })
  const start = held('states:StartExecution', 'state-machine', { stateMachineArn: MACHINE })
  expect((await resolve(start, upstream)).actsUnder).toEqual([other, ROLE])
})

const glueJob = (parameters: JsonObject) => awsAction('glue:CreateJob', parameters, ['opaque'])

test('C7 scripts and images that an opaque call points at are held to their content', async () => {
  const job = glueJob({ Command: { ScriptLocation: 's3://code/jobs/100%25 a.py' } })
  const asked: string[] = []
  const withEtag = (etag: string): Upstream => ({
    send: (call) => {
      assertRead(call)
      asked.push(`${call.method} ${call.target}`)
      return Promise.resolve({ status: 200, headers: { etag }, body: new Uint8Array(0) })
    },
  })
  const one = await resolve(job, withEtag('"1"'))
  const two = await resolve(job, withEtag('"2"'))
  expect(one.binding['references']).toMatchObject([{ bucket: 'code', etag: '"1"' }])
  expect(one.binding).not.toEqual(two.binding)
  expect(asked[0]).toBe('HEAD /code/jobs/100%2525%20a.py')
  const written = awsAction('glue:CreateDatabase', { LocationUri: 's3://code/x' }, ['write'])
  // Whose the bucket is, and nothing of what lies in it: it runs no code from there.
  const owners = [{ bucket: 'code', account: '123456789012' }]
  expect((await resolve(written, withEtag('"1"'))).binding).toEqual({ owners })
})

test('C7 what cannot be held to is said, and a look that fails makes nothing milder', async () => {
  const folder = await resolve(glueJob({ Path: 's3://code/jobs/' }), upstreamOf({}).upstream)
  expect(folder.couldNotLook.join()).toContain('no single object')
  const denied = await resolve(glueJob({ Path: 's3://code/a.py' }), upstreamOf({}).upstream)
  expect(denied.binding['references']).toEqual([{ reference: 's3://code/a.py', held: false }])
  const paths = (count: number) => Array.from({ length: count }, (_, at) => `s3://code/${at}.py`)
  const limit = await resolve(glueJob({ Paths: paths(20) }), upstreamOf({}).upstream)
  expect(limit.couldNotLook.join()).not.toContain('more than the 20')
  const past = await resolve(glueJob({ Paths: paths(21) }), upstreamOf({}).upstream)
  expect(past.couldNotLook.join()).toContain('more than the 20')
})

test('M5 a secret in a stored definition is not repeated to the reviewer', async () => {
  const change = {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:rds:modifyDBInstance',
    Parameters: { DbInstanceIdentifier: 'orders', MasterUserPassword: 'hunter22-hunter22' },
    End: true,
  }
  const definition = JSON.stringify({ StartAt: 'A', States: { A: change } })
  const { upstream } = upstreamOf({
    'AWSStepFunctions.DescribeStateMachine': { definition, roleArn: ROLE, revisionId: 'r' },
  })
  const start = held('states:StartExecution', 'state-machine', { stateMachineArn: MACHINE })
  const evidence = await resolve(start, upstream)
  expect(evidence.innerCalls).toMatchObject([{ operation: 'rds:ModifyDBInstance' }])
  expect(JSON.stringify(evidence)).not.toContain('hunter22')
})

test('H8 every version behind an alias acts, the one of little weight too', async () => {
  const wide = `arn:aws:iam::${ACCOUNT}:role/wide`
  const base = '/2015-03-31/functions/f'
  const version = (Role: string) => ({ FunctionArn: 'arn:f', Role })
  const answers = {
    [`${base}/configuration`]: version(ROLE),
    [`${base}/configuration?Qualifier=1`]: version(ROLE),
    [`${base}/configuration?Qualifier=2`]: version(wide),
    [`${base}/aliases/live`]: {
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.01 } },
    },
  }
  const under = async (operation: string, parameters: JsonObject) => {
    const action = held(operation, 'lambda-function', parameters)
    return (await resolve(action, upstreamOf(answers).upstream)).actsUnder
  }
  expect(await under('lambda:Invoke', { FunctionName: 'f' })).toEqual([ROLE])
  expect(await under('lambda:Invoke', { FunctionName: 'f', Qualifier: '2' })).toEqual([wide])
  expect(await under('lambda:Invoke', { FunctionName: 'f', Qualifier: 'live' })).toEqual([
    wide,
    ROLE,
  ])
  expect(await under('lambda:Invoke', { FunctionName: 'f:live' })).toEqual([wide, ROLE])
  expect(await under('lambda:Invoke', { FunctionName: 'f', Qualifier: 'gone' })).toEqual(['*'])
  const weights = { RoutingConfig: { AdditionalVersionWeights: { 2: { decimal: '0.5' } } } }
  const update = { FunctionName: 'f', Name: 'live', FunctionVersion: '1', ...weights }
  expect(await under('lambda:UpdateAlias', update)).toEqual([wide, ROLE])
  expect(await under('lambda:UpdateAlias', { FunctionName: 'f', Name: 'live' })).toEqual([
    wide,
    ROLE,
  ])
})

test('H8 a stack that something else would delete acts under what nobody looked at', async () => {
  const drop = {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:cloudformation:deleteStack',
    Parameters: { StackName: 'shop' },
    End: true,
  }
  const definition = JSON.stringify({ StartAt: 'A', States: { A: drop } })
  const { upstream } = upstreamOf({
    'AWSStepFunctions.DescribeStateMachine': { definition, roleArn: ROLE, revisionId: 'r' },
  })
  const start = held('states:StartExecution', 'state-machine', { stateMachineArn: MACHINE })
  expect((await resolve(start, upstream)).actsUnder).toEqual(['*', ROLE])
})

const stackAnswers = (role: string): Readonly<Record<string, Answer>> => ({
  DescribeStacks: `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>arn:s</StackId><StackName>shop</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>${role}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  ListStackResources:
    '<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/></ListStackResourcesResult></ListStackResourcesResponse>',
})

test('C7 the role that is stored with a stack is the one that acts, without one nobody is lent', async () => {
  const remove = held('cloudformation:DeleteStack', 'stack', { StackName: 'shop' })
  const under = async (answers: Readonly<Record<string, Answer>>) =>
    (await resolve(remove, upstreamOf(answers).upstream)).actsUnder
  expect(await under(stackAnswers(`<RoleARN>${ROLE}</RoleARN>`))).toEqual([ROLE])
  expect(await under(stackAnswers(''))).toEqual([])
  expect(await under({})).toEqual(['*'])
  const rollback = held('cloudformation:RollbackStack', 'stack', { StackName: 'shop' })
  expect((await resolve(rollback, upstreamOf({}).upstream)).actsUnder).toEqual(['*'])
  const stored = upstreamOf(stackAnswers(`<RoleARN>${ROLE}</RoleARN>`)).upstream
  expect((await resolve(rollback, stored)).actsUnder).toEqual([ROLE])
  const refactor = held('cloudformation:ExecuteStackRefactor', 'stack', { StackRefactorId: 'r' })
  expect((await resolve(refactor, upstreamOf({}).upstream)).actsUnder).toEqual(['*'])
})

test('H8 machines that start each other end at the limit, under `*`', async () => {
  const chain = (at: number) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution',
    Parameters: { stateMachineArn: `${MACHINE}${at}` },
    End: true,
  })
  let count = 0
  const upstream: Upstream = {
    send: () => {
      count += 1
      const definition = JSON.stringify({ StartAt: 'A', States: { A: chain(count) } })
      const body = JSON.stringify({ definition, roleArn: ROLE })
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(body) })
    },
  }
  const start = held('states:StartExecution', 'state-machine', { stateMachineArn: MACHINE })
  const evidence = await resolve(start, upstream)
  expect(evidence.actsUnder).toEqual(['*', ROLE])
  expect(count).toBeLessThanOrEqual(4)
})

test('a project is bound by its time of change, and a buildspec in the source is said', async () => {
  const build = held('codebuild:StartBuild', 'codebuild-project', { projectName: 'p' })
  const project = { arn: 'arn:p', serviceRole: ROLE, lastModified: 1_700_000_000.5, source: {} }
  const { upstream } = upstreamOf({
    'CodeBuild_20161006.BatchGetProjects': { projects: [project] },
  })
  const evidence = await resolve(build, upstream)
  expect(evidence.binding['runs']).toMatchObject([{ lastModified: '1700000000.5', role: ROLE }])
  expect(evidence.couldNotLook.join()).toContain('buildspec is in the source')
})

/** Small and seeded, so that a failure can be run again. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state
  }
}

test('H8 whatever is answered, nothing throws, and a role that is not read whole is `*`', async () => {
  const cases = [
    held('lambda:UpdateFunctionCode', 'lambda-function', { FunctionName: 'f' }),
    held('states:StartExecution', 'state-machine', { stateMachineArn: MACHINE }),
    held('codebuild:StartBuild', 'codebuild-project', { projectName: 'p' }),
    held('glue:StartJobRun', 'glue-job', { JobName: 'j' }),
    held('ssm:SendCommand', 'managed-instance', {
      DocumentName: 'd',
      InstanceIds: ['i-0123456789abcdef0'],
    }),
    held('codepipeline:StartPipelineExecution', 'pipeline', { name: 'p' }),
    held('lambda:Invoke', 'lambda-function', {}),
    runTask,
  ]
  const pieces = [
    '{}',
    '[]',
    'null',
    '""',
    '{"Role":1}',
    '{"Role":{"x":[]}}',
    '\u0000',
    '<a>',
    '{',
    '9e999',
    '{"definition":"{}"}',
    '{"projects":[{}]}',
    '{"Job":{"Role":"x"}}',
    '{"taskDefinition":{"containerDefinitions":[null]}}',
    '{"__proto__":{"Role":"a"}}',
    '{"FunctionArn":"a","Role":"arn:aws:iam::123456789012:role/*"}',
  ]
  const random = numbers(11)
  for (let round = 0; round < 400; round += 1) {
    const action = cases[round % cases.length]
    if (action === undefined) continue
    const status = [200, 200, 200, 400, 500][(random.next().value as number) % 5] ?? 200
    const text = pieces[(random.next().value as number) % pieces.length] ?? ''
    const upstream: Upstream = {
      send: () => Promise.resolve({ status, headers: {}, body: Buffer.from(text) }),
    }
    const { actsUnder } = await resolve(action, upstream)
    expect([action.operation, status, text, actsUnder]).toEqual([
      action.operation,
      status,
      text,
      ['*'],
    ])
  }
})
