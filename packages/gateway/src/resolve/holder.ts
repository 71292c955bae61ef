// Looks at the stored thing whose role would act: a function, a state machine, a build project, a task
// definition, a job. Its identity, its content and its role are binding; the calls it would make count
// as those of the action. What cannot be looked at acts under `*`, which is production (redteam H8).
import { createHash } from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import { describeDrafts } from '@seconder/aws/inner-calls/acting'
import { Drafts } from '@seconder/aws/inner-calls/drafts'
import { readDefinition } from '@seconder/aws/inner-calls/state-machine'
import { readRuleTargets } from '@seconder/aws/inner-calls/targets'
import { digestOf } from '../lib/canonical-json.ts'
import { type ActingRead, actingCall } from './acting-reads.ts'
import { quoted } from './amounts.ts'
import { lookAtFunction } from './function-role.ts'
import {
  absent,
  type HolderLook,
  type Placed,
  regionIn,
  roleOf,
  unnamed,
  unread,
} from './holder-look.ts'
import { pinnedImage } from './image.ts'
import type { Look, Looked } from './look.ts'
import { lookAtMachines } from './machine-role.ts'
import { asObject, countAt, listAt, memberAt, objectAt, secondsAt, textAt } from './member.ts'
import { pinnedObject, placeOfAddress } from './pinned-object.ts'

type HolderLooker = (parameters: JsonObject, look: Look, here: Placed) => Promise<HolderLook>

/** One row per kind that can be looked at; the kinds are those of acts-for-others.json. */
const LOOKERS: Readonly<Record<string, HolderLooker>> = {
  'codebuild-project': lookAtProject,
  'glue-job': lookAtJob,
  'lambda-function': lookAtFunction,
  'managed-instance': lookAtMachines,
  pipeline: lookAtPipeline,
  rule: lookAtRule,
  'state-machine': lookAtMachine,
  'task-definition': lookAtTask,
}

/** What is stored and who it acts as. `stack` is looked at by stack.ts and not here. */
export function lookAtHolder(
  holder: string,
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const looker = Object.hasOwn(LOOKERS, holder) ? LOOKERS[holder] : undefined
  if (looker !== undefined) return looker(parameters, look, here)
  look.missed('under which role it would run could not be looked up')
  return Promise.resolve({ binding: { role: '*' }, roles: ['*'], innerCalls: [] })
}

/** Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html */
async function lookAtMachine(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const stateMachineArn = textAt(parameters, 'stateMachineArn')
  if (stateMachineArn === null) return unnamed(look)
  const region = regionIn(stateMachineArn, here)
  const call = actingCall(region, 'states:DescribeStateMachine', { stateMachineArn })
  const looked = await look.json(call, ['StateMachineDoesNotExist'])
  if (looked.found === 'no') return absent(stateMachineArn)
  const value = looked.found === 'yes' ? looked.value : null
  const definition = textAt(value, 'definition')
  if (value === null || definition === null) {
    return unread(look, `state machine ${quoted(stateMachineArn)}`, looked)
  }
  const role = roleOf(memberAt(value, 'roleArn'))
  const drafts = new Drafts()
  readDefinition(definition, role, drafts)
  const partition = partitionOf(region) ?? 'aws'
  const { innerCalls, whole } = describeDrafts(drafts, { partition, region, account: here.account })
  if (!whole) look.missed('not every task of the state machine could be read')
  return {
    binding: {
      stateMachine: stateMachineArn,
      role,
      revisionId: textAt(value, 'revisionId'),
      definitionSha256: sha256(definition),
    },
    roles: [role],
    innerCalls,
  }
}

/** Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html */
async function lookAtProject(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const name = textAt(parameters, 'projectName') ?? textAt(parameters, 'name')
  if (name === null) return unnamed(look)
  const call = actingCall(regionIn(name, here), 'codebuild:BatchGetProjects', { names: [name] })
  const looked = await look.json(call, [])
  const list = looked.found === 'yes' ? listAt(looked.value, 'projects') : null
  if (list !== null && list.length === 0) return absent(name)
  const project = list?.length === 1 ? asObject(list[0]) : null
  if (project === null) return unread(look, `build project ${quoted(name)}`, looked)
  const role = roleOf(memberAt(project, 'serviceRole'))
  const buildspec = textAt(objectAt(project, 'source'), 'buildspec')
  const inPlace =
    buildspec?.includes('\n') === true || buildspec?.trimStart().startsWith('{') === true
  if (!inPlace && textAt(parameters, 'buildspecOverride') === null) {
    look.missed('its buildspec is in the source, whose content can change before it is used')
  }
  return {
    binding: {
      project: textAt(project, 'arn'),
      role,
      // Changes with every change of the project, so that its settings need not be read.
      lastModified: secondsAt(project, 'lastModified'),
      buildspecSha256: buildspec === null ? null : sha256(buildspec),
      image: textAt(objectAt(project, 'environment'), 'image'),
    },
    roles: [role],
    innerCalls: [],
  }
}

/** Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html */
async function lookAtTask(parameters: JsonObject, look: Look, here: Placed): Promise<HolderLook> {
  const named =
    textAt(parameters, 'taskDefinition') ?? (await taskOfService(parameters, look, here))
  if (named === null) return unnamed(look)
  const input = { taskDefinition: named }
  const looked = await ask(look, here, 'ecs:DescribeTaskDefinition', input)
  const task = looked.found === 'yes' ? objectAt(looked.value, 'taskDefinition') : null
  const arn = textAt(task, 'taskDefinitionArn')
  const containers = listAt(task, 'containerDefinitions')
  if (task === null || arn === null || containers === null) {
    return unread(look, `task definition ${quoted(named)}`, looked)
  }
  const given = ['taskRoleArn', 'executionRoleArn'].flatMap((name) => memberAt(task, name) ?? [])
  const roles = given.map(roleOf)
  const fargate = listAt(task, 'requiresCompatibilities')?.join() === 'FARGATE'
  // Without a task role a container may act as the machine it runs on.
  if (memberAt(task, 'taskRoleArn') === undefined && !fargate) roles.push('*')
  const images = containers.map((one) => textAt(asObject(one), 'image') ?? '')
  const pinned = await Promise.all([...new Set(images)].sort().map((one) => pinnedImage(look, one)))
  return { binding: { taskDefinition: arn, roles, images: pinned }, roles, innerCalls: [] }
}

async function taskOfService(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<string | null> {
  const service = textAt(parameters, 'service')
  if (service === null) return null
  const cluster = textAt(parameters, 'cluster')
  const input = { services: [service], ...(cluster === null ? {} : { cluster }) }
  const looked = await ask(look, here, 'ecs:DescribeServices', input)
  const list = looked.found === 'yes' ? listAt(looked.value, 'services') : null
  return list?.length === 1 ? textAt(asObject(list[0]), 'taskDefinition') : null
}

/** Source: https://docs.aws.amazon.com/glue/latest/webapi/API_GetJob.html */
async function lookAtJob(parameters: JsonObject, look: Look, here: Placed): Promise<HolderLook> {
  const name = textAt(parameters, 'JobName')
  if (name === null) return unnamed(look)
  const looked = await ask(look, here, 'glue:GetJob', { JobName: name })
  const job = looked.found === 'yes' ? objectAt(looked.value, 'Job') : null
  if (job === null) return unread(look, `job ${quoted(name)}`, looked)
  const role = roleOf(memberAt(job, 'Role'))
  const script = textAt(objectAt(job, 'Command'), 'ScriptLocation')
  const place = script === null ? null : placeOfAddress(script)
  return {
    binding: {
      job: name,
      role,
      lastModified: secondsAt(job, 'LastModifiedOn'),
      script: place === null ? script : await pinnedObject(look, here.region, place),
    },
    roles: [role],
    innerCalls: [],
  }
}

/**
 * A pipeline is held to its version, which counts its changes; its stages act under roles of their own.
 * Source: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html
 */
async function lookAtPipeline(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const name = textAt(parameters, 'name') ?? textAt(parameters, 'pipelineName')
  if (name === null) return unnamed(look)
  const looked = await ask(look, here, 'codepipeline:GetPipeline', { name })
  const pipeline = looked.found === 'yes' ? objectAt(looked.value, 'pipeline') : null
  const version = countAt(pipeline, 'version')
  if (version === null) return unread(look, `pipeline ${quoted(name)}`, looked)
  look.missed('the stages of a pipeline run code and act under roles that were not looked at')
  return { binding: { pipeline: name, version }, roles: ['*'], innerCalls: [] }
}

/** Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html */
async function lookAtRule(parameters: JsonObject, look: Look, here: Placed): Promise<HolderLook> {
  const name = textAt(parameters, 'Name')
  if (name === null) return unnamed(look)
  const bus = textAt(parameters, 'EventBusName')
  const input = { Rule: name, ...(bus === null ? {} : { EventBusName: bus }) }
  const call = actingCall(here.region, 'events:ListTargetsByRule', input)
  const looked = await look.json(call, ['ResourceNotFoundException'])
  // A rule that is made now has no targets yet.
  if (looked.found === 'no')
    return { binding: { rule: name, absent: true }, roles: [], innerCalls: [] }
  const targets = looked.found === 'yes' ? listAt(looked.value, 'Targets') : null
  if (looked.found !== 'yes' || targets === null)
    return unread(look, `rule ${quoted(name)}`, looked)
  const drafts = new Drafts()
  readRuleTargets({ Targets: targets }, drafts)
  const { region, account } = here
  const partition = partitionOf(region) ?? 'aws'
  const { innerCalls, whole } = describeDrafts(drafts, { partition, region, account })
  if (!whole) look.missed('not every target of the rule could be read')
  const roles = targets.flatMap((one) => memberAt(asObject(one), 'RoleArn') ?? []).map(roleOf)
  const all = memberAt(looked.value, 'NextToken') === undefined
  return {
    binding: { rule: name, targets: digestOf(targets), ...(all ? {} : { unread: 'too many' }) },
    roles: whole && all ? roles : [...roles, '*'],
    innerCalls,
  }
}

function ask(
  look: Look,
  { region }: Placed,
  read: ActingRead,
  input: JsonObject,
): Promise<Looked<JsonObject>> {
  return look.json(actingCall(region, read, input), [])
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
