// The change sets of a stack: made from the same list of changes that an update carries out, shown,
// and carried out once.
import { randomUUID } from 'node:crypto'
import type { CloudRequest } from './cloud-request.ts'
import { CloudError } from './errors.ts'
import { ACCOUNT, PARTITION } from './principal.ts'
import type { QueryInput } from './query-input.ts'
import { type ChangeSet, type Stack, setStackStatus } from './stack.ts'
import {
  checkStackName,
  checkUpdatable,
  isUpdatable,
  obsoleteChangeSets,
  readStackRequest,
  type StackBook,
} from './stack-book.ts'
import { checkCapabilities, stackChanges } from './stack-changes.ts'
import type { ResourceTypes } from './stack-resource-types.ts'
import type { StackWorker } from './stack-worker.ts'
import { changeSetSummaryXml, changeSetXml } from './stack-xml.ts'
import type { XmlValue } from './xml.ts'

export const CHANGE_SETS_MAX = 1000

export class ChangeSetActions {
  readonly #book: StackBook
  readonly #types: ResourceTypes
  readonly #worker: StackWorker

  constructor(book: StackBook, types: ResourceTypes, worker: StackWorker) {
    this.#book = book
    this.#types = types
    this.#worker = worker
  }

  create(input: QueryInput, request: CloudRequest): XmlValue {
    const name = input.required('ChangeSetName')
    const stackId = input.required('StackName')
    const type = input.optional('ChangeSetType') ?? 'UPDATE'
    const description = input.optional('Description')
    const existing = this.#book.find(stackId, request.region)
    const stackRequest = readStackRequest(input, existing, this.#types)
    input.done()
    if (!/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(name) || (type !== 'UPDATE' && type !== 'CREATE')) {
      throw new CloudError('ValidationError', 'the name or the type of the change set is not one')
    }
    checkCapabilities(stackRequest)
    const stack =
      type === 'CREATE'
        ? this.#stackToCreate(stackId, existing, request)
        : this.#book.stack(stackId, request.region)
    if (type === 'UPDATE') checkUpdatable(stack)
    if (stack.changeSets.has(name) || stack.changeSets.size >= CHANGE_SETS_MAX) {
      throw new CloudError('AlreadyExistsException', `ChangeSet ${name} already exists`, 400)
    }
    const changes = stackChanges(stack, stackRequest, this.#types)
    const isEmpty = changes.length === 0
    const changeSet: ChangeSet = {
      id: [changeSetArn(request.region), name, randomUUID()].join('/'),
      name,
      description,
      createdAtMs: request.nowMs,
      request: stackRequest,
      changes,
      status: isEmpty ? 'FAILED' : 'CREATE_COMPLETE',
      executionStatus: isEmpty ? 'UNAVAILABLE' : 'AVAILABLE',
    }
    stack.changeSets.set(name, changeSet)
    return { Id: changeSet.id, StackId: stack.id }
  }

  #stackToCreate(name: string, existing: Stack | undefined, request: CloudRequest): Stack {
    if (existing?.status === 'REVIEW_IN_PROGRESS') return existing
    if (existing !== undefined) {
      throw new CloudError(
        'ValidationError',
        `Stack [${name}] already exists and cannot be created again with the changeSet`,
      )
    }
    checkStackName(name)
    const stack = this.#book.add(name, request.region, request.nowMs)
    setStackStatus(stack, 'REVIEW_IN_PROGRESS', request.nowMs, 'User Initiated')
    return stack
  }

  /** A change set by its name in a stack, or by its own ARN. */
  #changeSet(input: QueryInput, request: CloudRequest): readonly [Stack, ChangeSet] {
    const nameOrId = input.required('ChangeSetName')
    const stackId = input.optional('StackName')
    if (stackId !== undefined) {
      const stack = this.#book.stack(stackId, request.region)
      return [stack, findChangeSet(stack, nameOrId)]
    }
    for (const stack of this.#book.inRegion(request.region)) {
      for (const changeSet of stack.changeSets.values()) {
        if (changeSet.id === nameOrId) return [stack, changeSet]
      }
    }
    throw noChangeSet(nameOrId)
  }

  describe(input: QueryInput, request: CloudRequest): XmlValue {
    const [stack, changeSet] = this.#changeSet(input, request)
    // Without the values the answer is whole; with them it would need the contexts the lab lacks.
    if (input.boolean('IncludePropertyValues') === true) {
      throw new CloudError('ValidationError', 'the lab does not show property values')
    }
    input.done()
    return changeSetXml(stack, changeSet)
  }

  list(input: QueryInput, request: CloudRequest): XmlValue {
    const stack = this.#book.stack(input.required('StackName'), request.region)
    input.done()
    const summaries = [...stack.changeSets.values()].map((one) => changeSetSummaryXml(stack, one))
    return { Summaries: { member: summaries } }
  }

  delete(input: QueryInput, request: CloudRequest): XmlValue {
    const [stack, changeSet] = this.#changeSet(input, request)
    input.done()
    stack.changeSets.delete(changeSet.name)
    return {}
  }

  execute(input: QueryInput, request: CloudRequest): XmlValue {
    const [stack, changeSet] = this.#changeSet(input, request)
    input.done()
    const isReady = changeSet.executionStatus === 'AVAILABLE'
    const isNew = stack.status === 'REVIEW_IN_PROGRESS'
    if (!isReady || !(isNew || isUpdatable(stack))) {
      const message =
        `ChangeSet [${changeSet.id}] cannot be executed in its current ` +
        `execution status of [${changeSet.executionStatus}]`
      throw new CloudError('InvalidChangeSetStatus', message)
    }
    changeSet.executionStatus = 'EXECUTE_COMPLETE'
    obsoleteChangeSets(stack)
    if (isNew) this.#worker.create(stack, changeSet.request)
    else this.#worker.update(stack, changeSet.request)
    return {}
  }
}

function changeSetArn(region: string): string {
  return `arn:${PARTITION}:cloudformation:${region}:${ACCOUNT}:changeSet`
}

function noChangeSet(name: string): CloudError {
  return new CloudError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404)
}

/** By name or ARN. ChangeSetNotFound (404) where the stack has none such. */
export function findChangeSet(stack: Stack, nameOrId: string): ChangeSet {
  const changeSet = [...stack.changeSets.values()].find(
    (one) => one.name === nameOrId || one.id === nameOrId,
  )
  if (changeSet === undefined) throw noChangeSet(nameOrId)
  return changeSet
}
