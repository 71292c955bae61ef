// Reads what a target ARN makes happen: schedules, rules, pipes, alarms, subscriptions, maintenance
// tasks. One table from the kind of ARN to the call that its service makes.

import type { Json, JsonObject } from '../call.ts'
import { parseArn } from '../describe/arn.ts'
import { isObject } from '../describe/decode-json.ts'
import { type Draft, type Drafts, listAt, memberIn, objectAt, objectIn, textIn } from './drafts.ts'

interface Target {
  readonly arn: string
  /** The target's own members, such as EcsParameters. */
  readonly beside: JsonObject
  readonly input: Json | undefined
  readonly role: string | null
  readonly at: string
}

type Called = Pick<Draft, 'sdk' | 'api' | 'parameters'>

/**
 * The call by service of the ARN and start of its resource.
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html and
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
 */
const CALLS: readonly (readonly [
  service: string,
  resource: RegExp,
  called: (target: Target, resource: string) => Called | undefined,
])[] = [
  ['lambda', /^function:/, ({ arn }) => call('lambda', 'Invoke', { FunctionName: arn })],
  [
    'states',
    /^stateMachine:/,
    ({ arn }) => call('sfn', 'StartExecution', { stateMachineArn: arn }),
  ],
  ['sns', /^/, ({ arn }) => call('sns', 'Publish', { TopicArn: arn })],
  ['sqs', /^/, () => call('sqs', 'SendMessage', {})],
  ['kinesis', /^stream\//, ({ arn }) => call('kinesis', 'PutRecord', { StreamARN: arn })],
  [
    'firehose',
    /^deliverystream\//,
    (_, name) => call('firehose', 'PutRecord', { DeliveryStreamName: last(name) }),
  ],
  [
    'ecs',
    /^cluster\//,
    ({ arn, beside }) => {
      const { TaskDefinitionArn = null } = objectAt(beside, 'EcsParameters') ?? {}
      return call('ecs', 'RunTask', { cluster: arn, taskDefinition: TaskDefinitionArn })
    },
  ],
  [
    'codebuild',
    /^project\//,
    (_, name) => call('codebuild', 'StartBuild', { projectName: last(name) }),
  ],
  ['codepipeline', /^/, (_, name) => call('codepipeline', 'StartPipelineExecution', { name })],
  [
    'batch',
    /^job-queue\//,
    ({ arn, beside }) => {
      const { JobDefinition = null } = objectAt(beside, 'BatchParameters') ?? {}
      return call('batch', 'SubmitJob', { jobQueue: arn, jobDefinition: JobDefinition })
    },
  ],
  ['ssm', /^document\//, (_, name) => call('ssm', 'SendCommand', { DocumentName: last(name) })],
  [
    'ssm',
    /^automation-definition\//,
    (_, name) =>
      call('ssm', 'StartAutomationExecution', { DocumentName: name.split(/[/:]/)[1] ?? '' }),
  ],
  ['ssm', /^opsitem:/, () => call('ssm', 'CreateOpsItem', {})],
  [
    'ssm-incidents',
    /^response-?plan/,
    ({ arn }) => call('ssmincidents', 'StartIncident', { responsePlanArn: arn }),
  ],
  ['logs', /^log-group:/, () => call('cloudwatchlogs', 'PutLogEvents', {})],
  ['events', /^event-bus\//, () => call('eventbridge', 'PutEvents', {})],
  ['events', /^target\//, (target, name) => builtIn(name, target.input)],
  [
    'sagemaker',
    /^pipeline\//,
    (_, name) => call('sagemaker', 'StartPipelineExecution', { PipelineName: last(name) }),
  ],
  [
    'redshift',
    /^cluster:/,
    ({ beside }) =>
      call('redshiftdata', 'ExecuteStatement', {
        Sql: textIn(objectAt(beside, 'RedshiftDataParameters'), 'Sql') ?? null,
      }),
  ],
  [
    'autoscaling',
    /^scalingPolicy:/,
    ({ arn }) => call('autoscaling', 'ExecutePolicy', { PolicyName: arn }),
  ],
]

function call(sdk: string, api: string, parameters: JsonObject): Called {
  return { sdk, api, parameters }
}

function last(resource: string): string {
  return resource.slice(resource.lastIndexOf('/') + 1)
}

/** Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html, EC2 API calls */
function builtIn(name: string, input: Json | undefined): Called | undefined {
  const id =
    typeof input === 'string' ? /^"?(i-[0-9a-f]{8,17})"?$/.exec(input.trim())?.[1] : undefined
  const instances: JsonObject = id === undefined ? {} : { InstanceIds: [id] }
  switch (name) {
    case 'target/stop-instance':
      return call('ec2', 'StopInstances', instances)
    case 'target/terminate-instance':
      return call('ec2', 'TerminateInstances', instances)
    case 'target/reboot-instance':
      return call('ec2', 'RebootInstances', instances)
    case 'target/create-snapshot':
      return call('ec2', 'CreateSnapshot', {})
    default:
      return undefined
  }
}

function readTarget(target: Target, drafts: Drafts): void {
  const { role, at } = target
  const universal = /^arn:[a-z-]+:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)$/.exec(target.arn)
  if (universal) {
    const [, sdk = '', api = ''] = universal
    const parameters = target.input === undefined ? {} : objectIn(target.input)
    if (parameters === undefined) drafts.hide()
    drafts.add({ sdk, api, parameters: parameters ?? { '.$': '' }, role, at })
    return
  }
  const arn = parseArn(target.arn)
  const row = CALLS.find(
    ([service, resource]) => service === arn?.service && resource.test(arn.resource),
  )
  const called = row?.[2](target, arn?.resource ?? '')
  if (called === undefined) drafts.hide()
  else drafts.add({ ...called, role, at })
}

/** CreateSchedule, UpdateSchedule. Source: scheduler API, Target. */
export function readSchedule(parameters: JsonObject, drafts: Drafts): void {
  const target = objectAt(parameters, 'Target')
  if (target === undefined) drafts.hide()
  else readOne(target, 'Target', drafts)
}

/** PutTargets of EventBridge. */
export function readRuleTargets(parameters: JsonObject, drafts: Drafts): void {
  for (const [index, target] of listAt(parameters, 'Targets').entries()) {
    if (isObject(target)) readOne(target, `Targets.${index}`, drafts)
    else drafts.hide()
  }
}

function readOne(target: JsonObject, at: string, drafts: Drafts): void {
  readTarget(
    {
      arn: textIn(target, 'Arn') ?? '',
      beside: target,
      input: memberIn(target, 'Input'),
      role: textIn(target, 'RoleArn') ?? null,
      at,
    },
    drafts,
  )
}

/** CreatePipe, UpdatePipe: the target, and what enriches on the way. */
export function readPipe(parameters: JsonObject, drafts: Drafts): void {
  const role = textIn(parameters, 'RoleArn') ?? null
  for (const at of ['Target', 'Enrichment']) {
    const arn = textIn(parameters, at)
    if (arn === undefined) continue
    readTarget({ arn, beside: {}, input: undefined, role, at }, drafts)
  }
}

/** sns:Subscribe and logs:PutSubscriptionFilter to a function. */
export function readSubscription(parameters: JsonObject, drafts: Drafts): void {
  const arn = textIn(parameters, 'Endpoint') ?? textIn(parameters, 'destinationArn') ?? ''
  readTarget({ arn, beside: {}, input: undefined, role: null, at: 'Endpoint' }, drafts)
}

/**
 * PutMetricAlarm, PutCompositeAlarm.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export function readAlarm(parameters: JsonObject, drafts: Drafts): void {
  for (const list of ['AlarmActions', 'OKActions', 'InsufficientDataActions']) {
    for (const [index, arn] of listAt(parameters, list).entries()) {
      const at = `${list}.${index}`
      if (typeof arn !== 'string') drafts.hide()
      else readAlarmAction(arn, at, parameters, drafts)
    }
  }
}

const INSTANCE_ACTIONS: Readonly<Record<string, string>> = {
  stop: 'StopInstances',
  terminate: 'TerminateInstances',
  reboot: 'RebootInstances',
  // Recovery starts the instance anew on other hardware; memory is lost.
  recover: 'RebootInstances',
}

function readAlarmAction(arn: string, at: string, parameters: JsonObject, drafts: Drafts): void {
  const [, verb] =
    /^arn:[a-z-]+:automate:[a-z0-9-]+:ec2:([a-z]+)$/.exec(arn) ??
    /^arn:[a-z-]+:swf:[a-z0-9-]+:\d{12}:action\/actions\/AWS_EC2\.InstanceId\.([A-Za-z]+)\/[\d.]+$/.exec(
      arn,
    ) ??
    []
  const api = INSTANCE_ACTIONS[verb?.toLowerCase() ?? '']
  if (api === undefined) {
    readTarget({ arn, beside: {}, input: undefined, role: null, at }, drafts)
    return
  }
  const ids = listAt(parameters, 'Dimensions').flatMap((dimension) => {
    if (!isObject(dimension) || textIn(dimension, 'Name') !== 'InstanceId') return []
    return [textIn(dimension, 'Value') ?? '']
  })
  const named: JsonObject = ids.length === 0 ? {} : { InstanceIds: ids }
  drafts.add({ sdk: 'ec2', api, parameters: named, role: null, at })
}

/** RegisterTaskWithMaintenanceWindow. Source: the operation's page, TaskType and TaskArn. */
export function readMaintenanceTask(parameters: JsonObject, drafts: Drafts): void {
  const arn = textIn(parameters, 'TaskArn') ?? ''
  const role = textIn(parameters, 'ServiceRoleArn') ?? null
  const at = 'TaskArn'
  switch (textIn(parameters, 'TaskType')) {
    case 'RUN_COMMAND':
      drafts.add({ sdk: 'ssm', api: 'SendCommand', parameters: { DocumentName: arn }, role, at })
      break
    case 'AUTOMATION':
      drafts.add({
        sdk: 'ssm',
        api: 'StartAutomationExecution',
        parameters: { DocumentName: arn },
        role,
        at,
      })
      break
    default:
      readTarget({ arn, beside: {}, input: undefined, role, at }, drafts)
  }
}

/** PutRemediationConfigurations. Source: config API, RemediationConfiguration. */
export function readRemediation(parameters: JsonObject, drafts: Drafts): void {
  for (const [index, one] of listAt(parameters, 'RemediationConfigurations').entries()) {
    const configuration = isObject(one) ? one : undefined
    const assumed = objectAt(objectAt(configuration, 'Parameters'), 'AutomationAssumeRole')
    const [role] = listAt(objectAt(assumed, 'StaticValue'), 'Values')
    drafts.add({
      sdk: 'ssm',
      api: 'StartAutomationExecution',
      parameters: { DocumentName: textIn(configuration, 'TargetId') ?? null },
      role: typeof role === 'string' ? role : '*',
      at: `RemediationConfigurations.${index}`,
    })
  }
}
