// The nouns of CloudFormation in the lab: a stack, its resources, its events and its change sets.
import { randomUUID } from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import { ACCOUNT, PARTITION } from './principal.ts'
import type { References, Template, TemplateResource } from './stack-template.ts'

/** Events kept per stack; the oldest go first. */
export const STACK_EVENTS_MAX = 2000

export interface StackResource {
  readonly logicalId: string
  readonly type: string
  physicalId: string
  /** Resolved, as they were last carried out. */
  properties: JsonObject
  status: string
  reason: string | undefined
  changedAtMs: number
}

export interface StackEvent {
  readonly id: string
  readonly atMs: number
  readonly logicalId: string
  readonly physicalId: string
  readonly type: string
  readonly status: string
  readonly reason: string | undefined
}

export interface Stack {
  readonly id: string
  readonly name: string
  readonly region: string
  readonly createdAtMs: number
  updatedAtMs: number | undefined
  deletedAtMs: number | undefined
  status: string
  reason: string | undefined
  template: Template | undefined
  parameters: ReadonlyMap<string, string>
  tags: ReadonlyMap<string, string>
  capabilities: readonly string[]
  terminationProtection: boolean
  disableRollback: boolean
  readonly resources: Map<string, StackResource>
  readonly events: StackEvent[]
  readonly changeSets: Map<string, ChangeSet>
}

export interface PropertyChange {
  readonly property: string
  readonly requiresRecreation: 'Never' | 'Conditionally' | 'Always'
  /** Logical id of the replaced resource this property refers to, where that is the only cause. */
  readonly causedBy: string | undefined
}

export interface ResourceChange {
  readonly action: 'Add' | 'Modify' | 'Remove'
  readonly logicalId: string
  readonly physicalId: string | undefined
  readonly type: string
  readonly replacement: 'True' | 'False' | 'Conditional' | undefined
  readonly policyAction: 'Delete' | 'Retain' | 'ReplaceAndDelete' | 'ReplaceAndRetain' | undefined
  readonly details: readonly PropertyChange[]
}

export interface ChangeSet {
  readonly id: string
  readonly name: string
  readonly description: string | undefined
  readonly createdAtMs: number
  readonly request: StackRequest
  readonly changes: readonly ResourceChange[]
  status: 'CREATE_COMPLETE' | 'FAILED'
  executionStatus: 'AVAILABLE' | 'UNAVAILABLE' | 'EXECUTE_COMPLETE' | 'OBSOLETE'
}

/** What a stack is asked to become. */
export interface StackRequest {
  readonly template: Template
  readonly parameters: ReadonlyMap<string, string>
  readonly tags: ReadonlyMap<string, string>
  readonly capabilities: readonly string[]
}

export function newStack(name: string, region: string, nowMs: number): Stack {
  return {
    id: `arn:${PARTITION}:cloudformation:${region}:${ACCOUNT}:stack/${name}/${randomUUID()}`,
    name,
    region,
    createdAtMs: nowMs,
    updatedAtMs: undefined,
    deletedAtMs: undefined,
    status: 'REVIEW_IN_PROGRESS',
    reason: undefined,
    template: undefined,
    parameters: new Map(),
    tags: new Map(),
    capabilities: [],
    terminationProtection: false,
    disableRollback: false,
    resources: new Map(),
    events: [],
    changeSets: new Map(),
  }
}

export function setStackStatus(stack: Stack, status: string, atMs: number, reason?: string): void {
  stack.status = status
  stack.reason = reason
  addEvent(stack, {
    atMs,
    logicalId: stack.name,
    physicalId: stack.id,
    type: 'AWS::CloudFormation::Stack',
    status,
    reason,
  })
}

export function setResourceStatus(
  stack: Stack,
  resource: StackResource,
  status: string,
  atMs: number,
  reason?: string,
): void {
  resource.status = status
  resource.reason = reason
  resource.changedAtMs = atMs
  const { logicalId, physicalId, type } = resource
  addEvent(stack, { atMs, logicalId, physicalId, type, status, reason })
}

function addEvent(stack: Stack, event: Omit<StackEvent, 'id'>): void {
  if (stack.events.length >= STACK_EVENTS_MAX) stack.events.shift()
  stack.events.push({ id: randomUUID(), ...event })
}

/** References as they resolve in this stack, with the parameters of `request`. */
export function stackReferences(
  stack: Stack,
  parameters: ReadonlyMap<string, string>,
  attribute: (resource: StackResource, name: string) => string | undefined,
): References {
  const pseudo = new Map([
    ['AWS::AccountId', ACCOUNT],
    ['AWS::Partition', PARTITION],
    ['AWS::Region', stack.region],
    ['AWS::StackId', stack.id],
    ['AWS::StackName', stack.name],
    ['AWS::URLSuffix', 'amazonaws.com.cn'],
  ])
  return {
    ref: (name) =>
      pseudo.get(name) ?? parameters.get(name) ?? stack.resources.get(name)?.physicalId,
    attribute: (logicalId, name) => {
      const resource = stack.resources.get(logicalId)
      return resource === undefined ? undefined : attribute(resource, name)
    },
  }
}

/** Retain or Delete of a resource that is in the stack. */
export function templateResource(stack: Stack, logicalId: string): TemplateResource | undefined {
  return stack.template?.resources.find((resource) => resource.logicalId === logicalId)
}
