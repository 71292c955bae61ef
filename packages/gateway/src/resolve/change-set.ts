// Looks at a CloudFormation change set before it is executed: the hash of its changes (binding), what each
// change would do, and what the things that go or are replaced hold. Makes ExecuteChangeSet's Evidence.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { canonicalJson, digestOf } from '../lib/canonical-json.ts'
import { quoted } from './amounts.ts'
import { asJson, childText, descendant, elementsNamed, type XmlTree } from './answer-xml.ts'
import { holdsNothing, isOpaque, lookAtContained, type StackResource } from './contained.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look, Looked, Why } from './look.ts'
import { textAt } from './member.ts'
import type { Part } from './part.ts'
import { cloudformationCall } from './read-call.ts'
import { lookAtStack } from './stack.ts'

/** Most changes of one change set that are read; a template has at most 500 resources. */
export const MAX_CHANGES = 500
/** Most pages of changes that are followed. */
export const MAX_CHANGE_PAGES = 50

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
const CHANGE_SET_ABSENT = ['ChangeSetNotFound', 'ChangeSetNotFoundException']
const RESULT = ['DescribeChangeSetResult']
// They move on while nothing that would happen changes.
const NOT_BOUND = new Set(['Changes', 'NextToken', 'ExecutionStatus', 'Status', 'StatusReason'])

interface Change {
  readonly resource: StackResource
  readonly fate: Fate
  readonly effects: readonly Effect[]
  readonly json: Json
}

interface ChangeSetRead {
  readonly result: XmlTree
  readonly changes: readonly Change[]
  readonly unread: { readonly unread: string } | null
}

/** ExecuteChangeSet: effects come from the changes themselves, the worst of them first. */
export async function resolveExecuteChangeSet(action: Action, look: Look): Promise<Part> {
  const name = textAt(action.parameters, 'ChangeSetName')
  const stackName = textAt(action.parameters, 'StackName')
  if (name === null) {
    look.missed('could not read the change set: the parameters name none')
    return opaquePart({ changeSet: { unread: 'the parameters name no change set' } })
  }
  const read = await readChangeSet(look, action.region, name, stackName)
  if (read.found === 'no') {
    return { binding: { changeSet: { name, absent: true } }, findings: [absentRow(name)], ...NONE }
  }
  if (read.found === 'unknown') {
    const mark = look.missedBecause(`change set ${quoted(name)}`, read.why)
    return opaquePart({ changeSet: { name, ...mark } })
  }
  const { result, changes, unread } = read.value
  const stackId = childText(result, 'StackId')
  const stack = await lookAtStack(look, action, stackId ?? stackName ?? name)
  const looks = await Promise.all(
    changes.map((change) =>
      lookAtContained(look, action, change.resource, change.fate, {
        guarded: false,
        opened: false,
      }),
    ),
  )
  const findings = looks.map(({ finding }) => finding)
  const settings = result.children.filter((child) => !NOT_BOUND.has(child.name))
  return {
    binding: {
      changeSet: {
        name,
        changeSetId: childText(result, 'ChangeSetId'),
        settings: digestOf(settings.map(asJson)),
        changes: unread ?? digestOf(changes.map((change) => change.json)),
        replacements: changes.filter((one) => one.fate === 'replaced').map(idOf),
        removals: changes.filter((one) => one.fate === 'deleted').map(idOf),
      },
      stack: stack.identity,
    },
    findings,
    addedEffects: [
      ...changes.flatMap((change) => change.effects),
      ...(unread === null ? [] : (['opaque'] as const)),
    ],
    before: null,
    taggedProduction: looks.some(({ tagged }) => tagged),
  }
}

const NONE = { addedEffects: [], before: null } as const

function opaquePart(binding: JsonObject): Part {
  return { binding, findings: [], addedEffects: ['opaque'], before: null }
}

function absentRow(name: string): Finding {
  return {
    type: 'change set',
    name,
    holds: 'nothing: it does not exist',
    holdsData: false,
    protectedFromDeletion: false,
    lastBackup: '–',
    undo: 'yes',
    fate: 'changed',
  }
}

function idOf(change: Change): JsonObject {
  return { ...change.resource }
}

async function readChangeSet(
  look: Look,
  region: string,
  name: string,
  stackName: string | null,
): Promise<Looked<ChangeSetRead>> {
  const changes: Change[] = []
  let first: XmlTree | null = null
  let token: string | null = null
  let why: Why | null = null
  for (let page = 0; page < MAX_CHANGE_PAGES; page += 1) {
    const input = {
      ChangeSetName: name,
      ...(stackName === null ? {} : { StackName: stackName }),
      ...(token === null ? {} : { NextToken: token }),
    }
    const call = cloudformationCall(region, 'DescribeChangeSet', input)
    const looked: Looked<XmlTree> = await look.xml(call, CHANGE_SET_ABSENT)
    if (looked.found === 'no') return { found: 'no' }
    const result: XmlTree | null = looked.found === 'yes' ? descendant(looked.value, RESULT) : null
    const read = result === null ? null : changesOf(result)
    if (result === null || read === null) {
      why = looked.found === 'unknown' ? looked.why : 'unreadable'
      break
    }
    first ??= result
    changes.push(...read)
    token = childText(result, 'NextToken')
    if (token === null || changes.length > MAX_CHANGES) break
  }
  if (first === null) return { found: 'unknown', why: why ?? 'unreadable' }
  const complete = token === null && why === null && changes.length <= MAX_CHANGES
  const unread = complete ? null : incomplete(look, name, why)
  const kept = changes.slice(0, MAX_CHANGES).sort(byText)
  return { found: 'yes', value: { result: first, changes: kept, unread } }
}

function incomplete(look: Look, name: string, why: Why | null): { unread: string } {
  if (why !== null) return look.missedBecause(`all changes of change set ${quoted(name)}`, why)
  look.missed(`change set ${quoted(name)} has more than the ${MAX_CHANGES} changes that were read`)
  return { unread: 'too many' }
}

/** The order in which AWS lists changes is not documented, so it must not make a difference. */
function byText(a: Change, b: Change): number {
  return canonicalJson(a.json) < canonicalJson(b.json) ? -1 : 1
}

function changesOf(result: XmlTree): Change[] | null {
  const list = descendant(result, ['Changes'])
  if (list === null) return []
  const changes: Change[] = []
  for (const member of elementsNamed(list, 'member')) {
    const change = changeOf(member)
    if (change === null) return null
    changes.push(change)
  }
  return changes
}

/** Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html */
function changeOf(member: XmlTree): Change | null {
  const tree = descendant(member, ['ResourceChange'])
  const type = tree === null ? null : childText(tree, 'ResourceType')
  const logicalId = tree === null ? null : childText(tree, 'LogicalResourceId')
  if (tree === null || type === null || logicalId === null) return null
  const physicalId = childText(tree, 'PhysicalResourceId')
  const { fate, effects } = doing(tree, type)
  const added: Effect[] = [...effects]
  if (type.startsWith('AWS::IAM::')) added.push('permissions')
  // Nested change sets and hooks act by themselves, whatever the change set says of them (redteam C7).
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Change.html
  const hooks = childText(member, 'HookInvocationCount') ?? '0'
  const actsItself = isOpaque(type) || childText(tree, 'ChangeSetId') !== null || hooks !== '0'
  if (actsItself) added.push('opaque')
  return {
    resource: { type, logicalId, physicalId },
    fate,
    effects: added,
    json: asJson(member),
  }
}

function doing(tree: XmlTree, type: string): { fate: Fate; effects: readonly Effect[] } {
  const replacement = childText(tree, 'Replacement')
  const policy = childText(tree, 'PolicyAction')
  switch (childText(tree, 'Action')) {
    case 'Add':
      return { fate: 'created', effects: ['write'] }
    case 'Import':
    case 'SyncWithActual':
      return { fate: 'changed', effects: ['write'] }
    case 'Remove':
      return policy === 'Retain'
        ? { fate: 'changed', effects: ['write'] }
        : { fate: 'deleted', effects: ['destroy'] }
    case 'Modify':
      if (replacement === 'False' || (replacement === null && policy === null)) {
        return { fate: 'changed', effects: ['write'] }
      }
      // A replacement deletes the old one, with what it holds, unless its policy keeps it.
      return policy === 'ReplaceAndRetain' || holdsNothing(type)
        ? { fate: 'replaced', effects: ['replace'] }
        : { fate: 'replaced', effects: ['replace', 'destroy'] }
    // `Dynamic` (CloudFormation itself cannot tell) and whatever comes to be later.
    default:
      return { fate: 'changed', effects: ['unknown'] }
  }
}
