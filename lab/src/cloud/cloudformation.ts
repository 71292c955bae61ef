// CloudFormation as the front answers it: which actions there are, what each may be given, and the
// state a stack must be in. The work itself is stack-worker.ts, the words of the answers
// stack-xml.ts.
import type { CloudReply, CloudRequest, CloudService } from './cloud-request.ts'
import { CloudError } from './errors.ts'
import { QueryInput } from './query-input.ts'
import type { Stack, StackRequest } from './stack.ts'
import {
  checkStackName,
  checkUpdatable,
  obsoleteChangeSets,
  readStackRequest,
  StackBook,
} from './stack-book.ts'
import { ChangeSetActions, findChangeSet } from './stack-change-sets.ts'
import {
  checkCapabilities,
  checkTemplate,
  neededCapabilities,
  stackChanges,
} from './stack-changes.ts'
import type { ResourceTypes } from './stack-resource-types.ts'
import { parseTemplate, type Template } from './stack-template.ts'
import type { StackWorker } from './stack-worker.ts'
import {
  eventXml,
  resourceSummaryXml,
  resourceXml,
  stackSummaryXml,
  stackXml,
} from './stack-xml.ts'
import { writeXml, type XmlValue } from './xml.ts'

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/'
/** Members that say who called again or how to bill it; they change nothing of what happens. */
const NO_EFFECT: readonly string[] = ['Action', 'Version', 'ClientRequestToken', 'ClientToken']

export interface CloudFormationOptions {
  readonly types: ResourceTypes
  readonly worker: StackWorker
}

type Handler = (input: QueryInput, request: CloudRequest) => XmlValue

export class CloudFormation implements CloudService {
  readonly protocol = 'awsQuery'
  readonly #types: ResourceTypes
  readonly #worker: StackWorker
  readonly #book = new StackBook()
  readonly #handlers: ReadonlyMap<string, Handler>

  constructor(options: CloudFormationOptions) {
    this.#types = options.types
    this.#worker = options.worker
    const changeSets = new ChangeSetActions(this.#book, options.types, options.worker)
    this.#handlers = new Map<string, Handler>([
      ['CreateChangeSet', (input, request) => changeSets.create(input, request)],
      ['CreateStack', (input, request) => this.#createStack(input, request)],
      ['DeleteChangeSet', (input, request) => changeSets.delete(input, request)],
      ['DeleteStack', (input, request) => this.#deleteStack(input, request)],
      ['DescribeChangeSet', (input, request) => changeSets.describe(input, request)],
      ['DescribeStackEvents', (input, request) => this.#describeEvents(input, request)],
      ['DescribeStackResource', (input, request) => this.#describeResource(input, request)],
      ['DescribeStackResources', (input, request) => this.#describeResources(input, request)],
      ['DescribeStacks', (input, request) => this.#describeStacks(input, request)],
      ['ExecuteChangeSet', (input, request) => changeSets.execute(input, request)],
      ['GetTemplate', (input, request) => this.#getTemplate(input, request)],
      ['ListChangeSets', (input, request) => changeSets.list(input, request)],
      ['ListStackResources', (input, request) => this.#listResources(input, request)],
      ['ListStacks', (input, request) => this.#listStacks(input, request)],
      ['UpdateStack', (input, request) => this.#updateStack(input, request)],
      ['UpdateTerminationProtection', (input, request) => this.#setProtection(input, request)],
      ['ValidateTemplate', (input) => this.#validateTemplate(input)],
    ])
  }

  operation(request: CloudRequest): string {
    const input = QueryInput.of(request)
    const action = input.optional('Action') ?? ''
    if (input.optional('Version') !== '2010-05-15' || !this.#handlers.has(action)) {
      throw new CloudError('InvalidAction', `Could not find operation ${action}`)
    }
    return action
  }

  answer(request: CloudRequest, operation: string): Promise<CloudReply> {
    const handler = this.#handlers.get(operation)
    if (handler === undefined) throw new CloudError('InvalidAction', 'Could not find operation')
    const input = QueryInput.of(request)
    for (const name of NO_EFFECT) input.optional(name)
    const result = handler(input, request)
    const document = {
      [`${operation}Result`]: result,
      ResponseMetadata: { RequestId: request.id },
    }
    return Promise.resolve({
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: Buffer.from(writeXml(`${operation}Response`, document, NAMESPACE)),
    })
  }

  #createStack(input: QueryInput, request: CloudRequest): XmlValue {
    const name = checkStackName(input.required('StackName'))
    const stackRequest = readStackRequest(input, undefined, this.#types)
    const protection = input.boolean('EnableTerminationProtection') ?? false
    const disableRollback = input.boolean('DisableRollback') ?? false
    input.done()
    if (this.#book.find(name, request.region) !== undefined) {
      throw new CloudError('AlreadyExistsException', `Stack [${name}] already exists`)
    }
    checkCapabilities(stackRequest)
    const stack = this.#book.add(name, request.region, request.nowMs)
    stack.terminationProtection = protection
    stack.disableRollback = disableRollback
    this.#worker.create(stack, stackRequest)
    return { StackId: stack.id }
  }

  #updateStack(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    const stackRequest = readStackRequest(input, stack, this.#types)
    input.done()
    checkUpdatable(stack)
    checkCapabilities(stackRequest)
    if (!this.#hasChanges(stack, stackRequest)) {
      throw new CloudError('ValidationError', 'No updates are to be performed.')
    }
    obsoleteChangeSets(stack)
    this.#worker.update(stack, stackRequest)
    return { StackId: stack.id }
  }

  #hasChanges(stack: Stack, request: StackRequest): boolean {
    return stackChanges(stack, request, this.#types).length > 0
  }

  /** Deleting what is not there succeeds, as CloudFormation has it. */
  #deleteStack(input: QueryInput, request: CloudRequest): XmlValue {
    const nameOrId = input.required('StackName')
    const retain = input.list('RetainResources')
    input.done()
    const stack = this.#book.find(nameOrId, request.region)
    if (stack === undefined || stack.status === 'DELETE_COMPLETE') return {}
    if (stack.terminationProtection) {
      const why = 'cannot be deleted while TerminationProtection is enabled'
      throw new CloudError('ValidationError', `Stack [${stack.name}] ${why}`)
    }
    if (retain.length > 0 && stack.status !== 'DELETE_FAILED') {
      const message =
        'Invalid operation on stack. Specify which resources to retain only ' +
        'when the stack is in the DELETE_FAILED state.'
      throw new CloudError('ValidationError', message)
    }
    if (stack.status === 'DELETE_IN_PROGRESS') return {}
    if (stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS') {
      throw new CloudError('ValidationError', `Stack [${stack.name}] is in ${stack.status} state`)
    }
    this.#worker.delete(stack, retain)
    return {}
  }

  #setProtection(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    const enabled = input.boolean('EnableTerminationProtection')
    input.done()
    if (enabled === undefined) throw new CloudError('ValidationError', 'a value is missing')
    stack.terminationProtection = enabled
    return { StackId: stack.id }
  }

  #describeStacks(input: QueryInput, request: CloudRequest): XmlValue {
    const nameOrId = input.optional('StackName')
    input.done()
    const stacks =
      nameOrId === undefined
        ? this.#book.inRegion(request.region).filter((stack) => stack.deletedAtMs === undefined)
        : [this.#book.stack(nameOrId, request.region)]
    return { Stacks: { member: stacks.map((stack) => stackXml(stack, this.#types)) } }
  }

  #listStacks(input: QueryInput, request: CloudRequest): XmlValue {
    const statuses = input.list('StackStatusFilter')
    input.done()
    const stacks = this.#book
      .inRegion(request.region)
      .filter((stack) => statuses.length === 0 || statuses.includes(stack.status))
    return { StackSummaries: { member: stacks.map(stackSummaryXml) } }
  }

  #describeResources(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    const logicalId = input.optional('LogicalResourceId')
    input.done()
    const resources = [...stack.resources.values()].filter(
      (resource) => logicalId === undefined || resource.logicalId === logicalId,
    )
    return { StackResources: { member: resources.map((one) => resourceXml(stack, one)) } }
  }

  #describeResource(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    const logicalId = input.required('LogicalResourceId')
    input.done()
    const resource = stack.resources.get(logicalId)
    if (resource === undefined) {
      const message = `Resource ${logicalId} does not exist for stack ${stack.name}`
      throw new CloudError('ValidationError', message)
    }
    const { Timestamp: LastUpdatedTimestamp, ...rest } = resourceXml(stack, resource)
    return { StackResourceDetail: { ...rest, LastUpdatedTimestamp } }
  }

  #listResources(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    input.done()
    const summaries = [...stack.resources.values()].map(resourceSummaryXml)
    return { StackResourceSummaries: { member: summaries } }
  }

  #describeEvents(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    input.done()
    const newestFirst = stack.events.toReversed()
    return { StackEvents: { member: newestFirst.map((event) => eventXml(stack, event)) } }
  }

  #getTemplate(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    const changeSetName = input.optional('ChangeSetName')
    const stage = input.optional('TemplateStage') ?? 'Original'
    input.done()
    const template =
      changeSetName === undefined
        ? stack.template
        : findChangeSet(stack, changeSetName).request.template
    if (template === undefined || (stage !== 'Original' && stage !== 'Processed')) {
      throw new CloudError('ValidationError', `Template for stack ${stack.name} does not exist`)
    }
    return {
      TemplateBody: template.body,
      StagesAvailable: { member: ['Original', 'Processed'] },
    }
  }

  #validateTemplate(input: QueryInput): XmlValue {
    const template = parseTemplate(input.required('TemplateBody'))
    input.done()
    checkTemplate(template, this.#types)
    return validated(template)
  }
}

function validated(template: Template): XmlValue {
  const capabilities = neededCapabilities(template)
  return {
    Description: template.description,
    Parameters: {
      member: template.parameters.map(({ name, defaultValue, noEcho }) => ({
        ParameterKey: name,
        DefaultValue: defaultValue,
        NoEcho: noEcho,
      })),
    },
    Capabilities: { member: capabilities },
    CapabilitiesReason:
      capabilities.length === 0
        ? undefined
        : 'The following resource(s) require capabilities: [AWS::IAM::Role]',
  }
}
