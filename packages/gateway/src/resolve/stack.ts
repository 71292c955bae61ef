// Looks at a CloudFormation stack: which stack it is, the role that would really act and every resource
// in it (binding), and what those hold. Makes the Evidence of DeleteStack, UpdateStack, CreateStack.
import type { JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { quoted } from './amounts.ts'
import { childText, descendant, elementsNamed } from './answer-xml.ts'
import { isNestedStack, isOpaque } from './contained.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look } from './look.ts'
import { listAt, textAt } from './member.ts'
import type { Part } from './part.ts'
import { cloudformationCall } from './read-call.ts'
import { contentsOf, lookAtMembers, type Member, STACK_ABSENT } from './stack-contents.ts'
import { templateAddress } from './template-address.ts'

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
  const deletes = fate === 'deleted'
  const retained = listAt(action.parameters, 'RetainResources') ?? []
  const [stack, contents] = await Promise.all([
    lookAtStack(look, action, name),
    contentsOf(
      look,
      action,
      name,
      deletes,
      retained.filter((one) => typeof one === 'string'),
    ),
  ])
  if (stack.state === 'absent') {
    const findings = [absentStack(name, fate)]
    return { binding: { stack: stack.identity }, findings, addedEffects: [], before: null }
  }
  const { members, binding } = contents
  const guarded = stack.protectedFromDeletion
  const { findings, tagged } = await lookAtMembers(look, action, name, members, fate, guarded)
  return {
    binding: { stack: stack.identity, ...binding },
    findings,
    addedEffects: [...worst, ...effectsOfContent(members)],
    before: null,
    taggedProduction: tagged,
  }
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
function effectsOfContent(members: readonly Member[]): Effect[] {
  const effects: Effect[] = []
  if (members.some(({ resource }) => resource.type.startsWith('AWS::IAM::'))) {
    effects.push('permissions')
  }
  const opaque = members.some(({ resource, opened, policy }) => {
    return (
      isOpaque(resource.type) && !opened && !(isNestedStack(resource.type) && policy === 'retain')
    )
  })
  return opaque ? [...effects, 'opaque'] : effects
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
