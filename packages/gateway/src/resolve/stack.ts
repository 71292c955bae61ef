// Looks at a CloudFormation stack: which stack it is, the role that would really act and every resource
// in it (binding), and what those hold. Makes the Evidence of DeleteStack, UpdateStack, CreateStack.
import type { JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { quoted } from './amounts.ts'
import { childText, descendant, elementsNamed, type XmlTree } from './answer-xml.ts'
import { isOpaque, lookAtContained, type StackResource } from './contained.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look, Looked } from './look.ts'
import { listAt, textAt } from './member.ts'
import type { Part } from './part.ts'
import { cloudformationCall } from './read-call.ts'
import { type DeletionPolicy, lookAtTemplate, type TemplateLook } from './template.ts'
import { templateAddress } from './template-address.ts'

/** Resources of one stack that are read; also AWS's own quota for a template.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const MAX_STACK_RESOURCES = 500
/** Most pages that are followed for one stack; a page holds 100 resources. */
export const MAX_RESOURCE_PAGES = 20

// "If the stack does not exist, a ValidationError is returned."
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
const STACK_ABSENT = ['ValidationError']

export interface StackLook {
  readonly state: 'there' | 'absent' | 'unread'
  readonly identity: JsonObject
  readonly stackId: string | null
  readonly protectedFromDeletion: boolean
}

/** DeleteStack: everything in the stack would go. */
export function resolveDeleteStack(action: Action, look: Look): Promise<Part> {
  return resolveWholeStack(action, look, 'deleted')
}

/** UpdateStack and its like: anything in the stack may change; which, only a change set tells. */
export async function resolveUpdateStack(action: Action, look: Look): Promise<Part> {
  const [part, template] = await Promise.all([
    resolveWholeStack(action, look, 'changed'),
    templateAddress(look, action),
  ])
  look.missed('what an update would change is not known before: a change set would tell')
  return {
    ...part,
    binding: { ...part.binding, ...(template === null ? {} : { newTemplate: template }) },
    addedEffects: [...part.addedEffects, 'opaque'],
  }
}

/** RollbackStack, ContinueUpdateRollback: anything may go back to what it was, under the stored role. */
export async function resolveRollback(action: Action, look: Look): Promise<Part> {
  const part = await resolveWholeStack(action, look, 'changed')
  return { ...part, addedEffects: [...part.addedEffects, 'opaque'] }
}

/** CreateStack, CreateChangeSet: whether the stack is there already, and the role that would act. */
export async function resolveCreateStack(action: Action, look: Look): Promise<Part> {
  const name = textAt(action.parameters, 'StackName')
  if (name === null) return noStackNamed(look, [])
  const [stack, template] = await Promise.all([
    lookAtStack(look, action, name),
    templateAddress(look, action),
  ])
  return {
    binding: { stack: stack.identity, ...(template === null ? {} : { newTemplate: template }) },
    findings: [],
    addedEffects: template === null ? [] : ['opaque'],
    before: null,
  }
}

function noStackNamed(look: Look, addedEffects: readonly Effect[]): Part {
  look.missed('could not read the stack: the parameters name none')
  const unread = { unread: 'the parameters name no stack' }
  return { binding: { stack: unread }, findings: [], addedEffects, before: null }
}

async function resolveWholeStack(action: Action, look: Look, fate: Fate): Promise<Part> {
  const worst: Effect[] = fate === 'deleted' ? ['destroy'] : []
  const name = textAt(action.parameters, 'StackName')
  if (name === null) return noStackNamed(look, worst)
  const [stack, resources, template] = await Promise.all([
    lookAtStack(look, action, name),
    resourcesOf(look, action.region, name),
    fate === 'deleted' ? lookAtTemplate(look, action.region, name) : null,
  ])
  if (stack.state === 'absent') {
    const findings = [absentStack(name, fate)]
    return { binding: { stack: stack.identity }, findings, addedEffects: [], before: null }
  }
  const listed = resources.list
  const findings = await Promise.all(
    listed.map((one) => {
      const policy = policyOf(action, template, one.logicalId)
      return lookAtMember(look, action.region, one, fate, policy, stack.protectedFromDeletion)
    }),
  )
  return {
    binding: {
      stack: stack.identity,
      resources: resources.unread ?? listed.map((one) => ({ ...one })),
      ...(template === null ? {} : { template: template.identity }),
    },
    findings,
    addedEffects: [...worst, ...effectsOfContent(listed)],
    before: null,
  }
}

/** RetainResources of the call keeps as the template's policy does; it names logical ids.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html */
function policyOf(
  action: Action,
  template: TemplateLook | null,
  logicalId: string,
): DeletionPolicy {
  if (listAt(action.parameters, 'RetainResources')?.includes(logicalId) === true) return 'retain'
  return template?.policies.get(logicalId) ?? 'delete'
}

async function lookAtMember(
  look: Look,
  region: string,
  resource: StackResource,
  fate: Fate,
  policy: DeletionPolicy,
  parentProtected: boolean,
): Promise<Finding> {
  if (fate === 'deleted' && policy === 'retain') {
    return { ...(await lookAtContained(look, region, resource, 'kept', false)), undo: 'yes' }
  }
  const finding = await lookAtContained(look, region, resource, fate, parentProtected)
  return policy === 'snapshot' && finding.undo === 'unknown'
    ? { ...finding, undo: 'from-backup' }
    : finding
}

function absentStack(name: string, fate: Fate): Finding {
  return {
    type: 'stack',
    name,
    holds: 'nothing: it does not exist',
    holdsData: false,
    protectedFromDeletion: false,
    lastBackup: '–',
    undo: 'yes',
    fate,
  }
}

/** What a stack's mere content adds: roles and policies are rights, opaque parts act by themselves. */
export function effectsOfContent(resources: readonly StackResource[]): Effect[] {
  const effects: Effect[] = []
  if (resources.some((one) => one.type.startsWith('AWS::IAM::'))) effects.push('permissions')
  if (resources.some((one) => isOpaque(one.type))) effects.push('opaque')
  return effects
}

/** The stack's id, its protection, and the role that would act: the call's, the stored, or none. */
export async function lookAtStack(look: Look, action: Action, name: string): Promise<StackLook> {
  const call = cloudformationCall(action.region, 'DescribeStacks', { StackName: name })
  const looked = await look.xml(call, STACK_ABSENT)
  const roleOfCall = textAt(action.parameters, 'RoleARN')
  if (looked.found === 'no') {
    const identity = { name, absent: true, roleArn: roleOfCall }
    return { state: 'absent', identity, stackId: null, protectedFromDeletion: false }
  }
  const list = looked.found === 'yes' ? descendant(looked.value, STACKS) : null
  const stacks = list === null ? [] : elementsNamed(list, 'member')
  const stack = stacks[0]
  const stackId = stack === undefined ? null : childText(stack, 'StackId')
  if (stack === undefined || stacks.length !== 1 || stackId === null) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    const mark = look.missedBecause(`stack ${quoted(name)}`, why)
    const identity = { name, roleArn: roleOfCall, ...mark }
    return { state: 'unread', identity, stackId: null, protectedFromDeletion: false }
  }
  // A stack that is gone is described by its id for some months yet.
  if (childText(stack, 'StackStatus') === 'DELETE_COMPLETE') {
    const identity = { name, absent: true, roleArn: roleOfCall }
    return { state: 'absent', identity, stackId: null, protectedFromDeletion: false }
  }
  const terminationProtection = childText(stack, 'EnableTerminationProtection') === 'true'
  // The stored role acts even where the caller could not pass it (redteam C7).
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
  const roleArn = roleOfCall ?? childText(stack, 'RoleARN')
  return {
    state: 'there',
    identity: { name, stackId, roleArn, terminationProtection },
    stackId,
    protectedFromDeletion: terminationProtection,
  }
}

const STACKS = ['DescribeStacksResult', 'Stacks']
const SUMMARIES = ['ListStackResourcesResult', 'StackResourceSummaries']

async function resourcesOf(
  look: Look,
  region: string,
  name: string,
): Promise<{ list: StackResource[]; unread: { unread: string } | null }> {
  const what = `the resources of stack ${quoted(name)}`
  const list: StackResource[] = []
  let token: string | null = null
  for (let page = 0; page < MAX_RESOURCE_PAGES; page += 1) {
    const input = { StackName: name, ...(token === null ? {} : { NextToken: token }) }
    const call = cloudformationCall(region, 'ListStackResources', input)
    const looked: Looked<XmlTree> = await look.xml(call, STACK_ABSENT)
    if (looked.found === 'no') return { list, unread: null }
    const read = looked.found === 'yes' ? pageOf(looked.value) : null
    if (read === null) {
      const why = looked.found === 'unknown' ? looked.why : 'unreadable'
      return { list: sorted(list), unread: look.missedBecause(what, why) }
    }
    list.push(...read.resources)
    if (list.length > MAX_STACK_RESOURCES) break
    token = read.token
    if (token === null) return { list: sorted(list), unread: null }
  }
  look.missed(`${what} are more than the ${MAX_STACK_RESOURCES} that were read`)
  return { list: sorted(list.slice(0, MAX_STACK_RESOURCES)), unread: { unread: 'too many' } }
}

function pageOf(tree: XmlTree): { resources: StackResource[]; token: string | null } | null {
  const summaries = descendant(tree, SUMMARIES)
  if (summaries === null) return null
  const resources: StackResource[] = []
  for (const member of elementsNamed(summaries, 'member')) {
    const type = childText(member, 'ResourceType')
    const logicalId = childText(member, 'LogicalResourceId')
    if (type === null || logicalId === null) return null
    // A resource that is gone already will not go again.
    if (childText(member, 'ResourceStatus') === 'DELETE_COMPLETE') continue
    resources.push({ type, logicalId, physicalId: childText(member, 'PhysicalResourceId') })
  }
  const result = descendant(tree, ['ListStackResourcesResult'])
  return { resources, token: result === null ? null : childText(result, 'NextToken') }
}

function sorted(list: readonly StackResource[]): StackResource[] {
  return [...list].sort((a, b) => (a.logicalId < b.logicalId ? -1 : 1))
}
