// Reads what is in a stack, its nested stacks opened, and looks at each member: what may hold data first,
// a few at a time. Every resource has its row, also those for which there was no time.
import type { JsonObject } from '@seconder/aws/call'
import type { Action } from '../describe/action.ts'
import { counted, quoted } from './amounts.ts'
import { childText, descendant, elementsNamed, type XmlTree } from './answer-xml.ts'
import { isNestedStack, lookAtContained, rankOf, type StackResource } from './contained.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Place } from './kind.ts'
import { type Look, type Looked, WORDS } from './look.ts'
import { cloudformationCall } from './read-call.ts'
import { type DeletionPolicy, lookAtTemplate, type TemplateLook } from './template.ts'

/** Resources of one stack that are read; also AWS's own quota for a template.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const MAX_STACK_RESOURCES = 500
/** Most pages that are followed for one stack; a page holds 100 resources. */
export const MAX_RESOURCE_PAGES = 20
/** How deep nested stacks are opened. */
export const MAX_NESTING = 3
/** Most nested stacks of one call that are opened. */
export const MAX_NESTED_STACKS = 20
/** Members looked at at once, so that those first in line are looked at whole. */
const MEMBERS_AT_ONCE = 16

// "If the stack does not exist, a ValidationError is returned."
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
export const STACK_ABSENT = ['ValidationError']

export interface Member {
  readonly resource: StackResource
  readonly policy: DeletionPolicy
  /** The nested stack that it is in; null in the stack itself. */
  readonly inside: string | null
  /** It is a nested stack whose members stand here too. */
  readonly opened: boolean
}

export interface StackContents {
  readonly members: readonly Member[]
  /** `resources`, and where they were read `template` and `nested`. */
  readonly binding: JsonObject
}

interface Opening {
  readonly look: Look
  readonly region: string
  readonly policyOf: (template: TemplateLook | null, logicalId: string) => DeletionPolicy
  nested: number
}

/** `deletes`: templates say what is kept, and nested stacks go too. */
export async function contentsOf(
  look: Look,
  action: Action,
  name: string,
  deletes: boolean,
  retained: readonly string[],
): Promise<StackContents> {
  const policyOf: Opening['policyOf'] = (template, logicalId) =>
    template?.policies.get(logicalId) ?? 'delete'
  const opening = { look, region: action.region, policyOf, nested: 0 }
  if (!deletes) {
    const listed = await resourcesOf(look, action.region, name)
    const resources = listed.unread ?? listed.list.map((one) => ({ ...one }))
    return { members: listed.list.map((one) => memberOf(one, 'delete')), binding: { resources } }
  }
  // RetainResources of the call keeps as the template's policy does, in the stack that it names alone.
  const own: Opening['policyOf'] = (template, logicalId) =>
    retained.includes(logicalId) ? 'retain' : policyOf(template, logicalId)
  return opened(opening, name, null, 0, own)
}

function memberOf(
  resource: StackResource,
  policy: DeletionPolicy,
  inside: string | null = null,
): Member {
  return { resource, policy, inside, opened: false }
}

async function opened(
  opening: Opening,
  name: string,
  inside: string | null,
  depth: number,
  policyOf: Opening['policyOf'],
): Promise<StackContents> {
  const { look, region } = opening
  const [listed, template] = await Promise.all([
    resourcesOf(look, region, name),
    lookAtTemplate(look, region, name),
  ])
  const members: Member[] = []
  const nested: JsonObject[] = []
  for (const resource of listed.list) {
    const policy = policyOf(template, resource.logicalId)
    const inner = await openedIn(opening, resource, policy, depth)
    members.push({ resource, policy, inside, opened: inner !== null })
    if (inner === null) continue
    members.push(...inner.members)
    nested.push({ stack: resource.physicalId, ...inner.binding })
  }
  return {
    members,
    binding: {
      resources: listed.unread ?? listed.list.map((one) => ({ ...one })),
      template: template.identity,
      ...(nested.length === 0 ? {} : { nested }),
    },
  }
}

/** The contents of a member that is a nested stack which would go; null for any other, or past a limit. */
async function openedIn(
  opening: Opening,
  { type, physicalId }: StackResource,
  policy: DeletionPolicy,
  depth: number,
): Promise<StackContents | null> {
  if (!isNestedStack(type) || physicalId === null || policy === 'retain') return null
  if (depth >= MAX_NESTING || opening.nested >= MAX_NESTED_STACKS) return null
  if (opening.look.stopped !== null) return null
  opening.nested += 1
  const inner = await opened(
    opening,
    physicalId,
    shortName(physicalId),
    depth + 1,
    opening.policyOf,
  )
  return Array.isArray(inner.binding['resources']) ? inner : null
}

/** `arn:aws:cloudformation:eu-west-1:1:stack/shop-network-1A2B/uuid` is `shop-network-1A2B`. */
function shortName(stackId: string): string {
  return /:stack\/([^/]+)/.exec(stackId)?.[1] ?? stackId
}

export interface MembersLook {
  /** In the order of the members. */
  readonly findings: readonly Finding[]
  readonly tagged: boolean
}

/** Looks at all members, those that may hold data first. */
export async function lookAtMembers(
  look: Look,
  place: Place,
  name: string,
  members: readonly Member[],
  fate: Fate,
  guarded: boolean,
): Promise<MembersLook> {
  const findings: Finding[] = []
  let tagged = false
  const order = members
    .map((member, index) => ({ member, index }))
    .sort((a, b) => rankOf(a.member.resource) - rankOf(b.member.resource))
  let unlooked = 0
  const next = async (): Promise<void> => {
    for (let one = order.shift(); one !== undefined; one = order.shift()) {
      const { member, index } = one
      const seen = await lookAtContained(look, place, member.resource, fateOf(member, fate), {
        guarded: guarded && member.policy !== 'retain',
        opened: member.opened,
      })
      if (seen.unlooked) unlooked += 1
      tagged ||= seen.tagged
      findings[index] = withPolicy(seen.finding, member)
    }
  }
  await Promise.all(Array.from({ length: MEMBERS_AT_ONCE }, next))
  if (unlooked > 0) {
    const why = WORDS[look.stopped ?? 'deadline']
    look.missed(
      `${counted(unlooked, 'resource')} of stack ${quoted(name)} ${unlooked === 1 ? 'was' : 'were'} not looked at: ${why}`,
    )
  }
  return { findings, tagged }
}

function fateOf(member: Member, fate: Fate): Fate {
  return fate === 'deleted' && member.policy === 'retain' ? 'kept' : fate
}

/** Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html */
function withPolicy(finding: Finding, { policy, inside }: Member): Finding {
  const snapshot =
    policy === 'snapshot' && finding.fate === 'deleted' && finding.holdsData !== false
  const notes = [
    ...(finding.notes ?? []),
    ...(snapshot ? ['a snapshot is made first: its deletion policy is Snapshot'] : []),
    ...(finding.fate === 'kept' ? ['it stays: its deletion policy keeps it'] : []),
    ...(inside === null ? [] : [`in nested stack ${quoted(inside)}`]),
  ]
  const undo = finding.fate === 'kept' ? 'yes' : snapshot ? 'from-backup' : finding.undo
  return { ...finding, undo, ...(notes.length === 0 ? {} : { notes }) }
}

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
