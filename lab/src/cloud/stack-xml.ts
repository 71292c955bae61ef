// Stacks, resources, events and change sets in the words of the CloudFormation API.
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Types.html
import type {
  ChangeSet,
  PropertyChange,
  ResourceChange,
  Stack,
  StackEvent,
  StackResource,
} from './stack.ts'
import { stackReferences } from './stack.ts'
import type { ResourceTypes } from './stack-resource-types.ts'
import { resolve } from './stack-template.ts'
import type { XmlValue } from './xml.ts'

function time(atMs: number): string {
  return new Date(atMs).toISOString()
}

function optionalTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : time(atMs)
}

function tagsXml(tags: ReadonlyMap<string, string>): XmlValue {
  return { member: [...tags].map(([Key, Value]) => ({ Key, Value })) }
}

function parametersXml(stack: Stack, parameters: ReadonlyMap<string, string>): XmlValue {
  const hidden = new Set(
    stack.template?.parameters.filter((one) => one.noEcho).map((one) => one.name),
  )
  return {
    member: [...parameters].map(([name, value]) => ({
      ParameterKey: name,
      ParameterValue: hidden.has(name) ? '****' : value,
    })),
  }
}

export function stackXml(stack: Stack, types: ResourceTypes): XmlValue {
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: stack.template?.description,
    Parameters: parametersXml(stack, stack.parameters),
    CreationTime: time(stack.createdAtMs),
    LastUpdatedTime: optionalTime(stack.updatedAtMs),
    DeletionTime: optionalTime(stack.deletedAtMs),
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DisableRollback: stack.disableRollback,
    EnableTerminationProtection: stack.terminationProtection,
    Capabilities: { member: stack.capabilities },
    Outputs: outputsXml(stack, types),
    Tags: tagsXml(stack.tags),
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  }
}

/** Outputs exist once the stack is complete; before that their references lead nowhere. */
function outputsXml(stack: Stack, types: ResourceTypes): XmlValue {
  const { template } = stack
  if (template === undefined || !/^(?:CREATE|UPDATE)_COMPLETE$/.test(stack.status)) return undefined
  const references = stackReferences(stack, stack.parameters, (resource, name) =>
    types.get(resource.type)?.attribute(resource.physicalId, name, stack.region),
  )
  return {
    member: [...template.outputs].map(([name, value]) => ({
      OutputKey: name,
      OutputValue: String(resolve(value, references)),
    })),
  }
}

export function stackSummaryXml(stack: Stack): XmlValue {
  return {
    StackId: stack.id,
    StackName: stack.name,
    TemplateDescription: stack.template?.description,
    CreationTime: time(stack.createdAtMs),
    LastUpdatedTime: optionalTime(stack.updatedAtMs),
    DeletionTime: optionalTime(stack.deletedAtMs),
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  }
}

export function resourceXml(stack: Stack, resource: StackResource) {
  return {
    StackId: stack.id,
    StackName: stack.name,
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId === '' ? undefined : resource.physicalId,
    ResourceType: resource.type,
    Timestamp: time(resource.changedAtMs),
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason,
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  }
}

export function resourceSummaryXml(resource: StackResource): XmlValue {
  return {
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId === '' ? undefined : resource.physicalId,
    ResourceType: resource.type,
    LastUpdatedTimestamp: time(resource.changedAtMs),
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason,
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  }
}

export function eventXml(stack: Stack, event: StackEvent): XmlValue {
  return {
    StackId: stack.id,
    StackName: stack.name,
    EventId: event.id,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: time(event.atMs),
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason,
  }
}

export function changeSetSummaryXml(stack: Stack, changeSet: ChangeSet) {
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    Description: changeSet.description,
    CreationTime: time(changeSet.createdAtMs),
    Status: changeSet.status,
    StatusReason:
      changeSet.status === 'FAILED'
        ? "The submitted information didn't contain changes. Submit different " +
          'information to create a change set.'
        : undefined,
    ExecutionStatus: changeSet.executionStatus,
  }
}

export function changeSetXml(stack: Stack, changeSet: ChangeSet): XmlValue {
  return {
    ...changeSetSummaryXml(stack, changeSet),
    Parameters: parametersXml(stack, changeSet.request.parameters),
    Capabilities: { member: changeSet.request.capabilities },
    Tags: tagsXml(changeSet.request.tags),
    Changes: { member: changeSet.changes.map(changeXml) },
  }
}

function changeXml(change: ResourceChange): XmlValue {
  return {
    Type: 'Resource',
    ResourceChange: {
      PolicyAction: change.policyAction,
      Action: change.action,
      LogicalResourceId: change.logicalId,
      PhysicalResourceId: change.physicalId,
      ResourceType: change.type,
      Replacement: change.replacement,
      Scope: { member: change.action === 'Modify' ? ['Properties'] : [] },
      Details: { member: change.details.map(detailXml) },
    },
  }
}

function detailXml({ property, requiresRecreation, causedBy }: PropertyChange): XmlValue {
  return {
    Target: { Attribute: 'Properties', Name: property, RequiresRecreation: requiresRecreation },
    Evaluation: causedBy === undefined ? 'Static' : 'Dynamic',
    ChangeSource: causedBy === undefined ? 'DirectModification' : 'ResourceReference',
    CausingEntity: causedBy,
  }
}
