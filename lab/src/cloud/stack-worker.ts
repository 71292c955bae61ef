// Carries out what a stack was asked to become, step by step and after the answer, as
// CloudFormation does: create with rollback, update with rollback, delete in reverse order.
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@seconder/aws/call'
import { CloudError } from './errors.ts'
import {
  type ResourceChange,
  type Stack,
  type StackRequest,
  type StackResource,
  setResourceStatus,
  setStackStatus,
  stackReferences,
  templateResource,
} from './stack.ts'
import { stackChanges } from './stack-changes.ts'
import type { ResourceCall, ResourceType, ResourceTypes } from './stack-resource-types.ts'
import { dependencies, resolve, type Template, type TemplateResource } from './stack-template.ts'

export interface WorkerOptions {
  readonly types: ResourceTypes
  readonly now: () => number
  /** Time one resource takes, in milliseconds. */
  readonly stepMs: number
  /** Told of each resource that was made or deleted. */
  readonly onDeed?: (deed: ResourceDeed) => void
}

/** One resource of a stack that was made or deleted. */
export interface ResourceDeed {
  readonly verb: 'Create' | 'Delete'
  readonly type: string
  readonly physicalId: string
  readonly stackName: string
  readonly region: string
  readonly atMs: number
}

/** What undoes a step that was done. */
type Undo = () => Promise<void>

export class StackWorker {
  readonly #options: WorkerOptions
  readonly #running = new Set<Promise<void>>()
  readonly faults: unknown[] = []

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Waits for everything that is under way. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  create(stack: Stack, request: StackRequest): void {
    this.#accept(stack, request)
    setStackStatus(stack, 'CREATE_IN_PROGRESS', this.#options.now(), 'User Initiated')
    this.#start(() => this.#create(stack, request.template))
  }

  update(stack: Stack, request: StackRequest): void {
    const before = {
      template: stack.template,
      parameters: stack.parameters,
      tags: stack.tags,
      capabilities: stack.capabilities,
    }
    const changes = stackChanges(stack, request, this.#options.types)
    this.#accept(stack, request)
    stack.updatedAtMs = this.#options.now()
    setStackStatus(stack, 'UPDATE_IN_PROGRESS', this.#options.now(), 'User Initiated')
    this.#start(() => this.#update(stack, changes, () => Object.assign(stack, before)))
  }

  /** `retain` names resources of a stack in DELETE_FAILED to leave alone. */
  delete(stack: Stack, retain: readonly string[]): void {
    setStackStatus(stack, 'DELETE_IN_PROGRESS', this.#options.now(), 'User Initiated')
    this.#start(() => this.#delete(stack, retain))
  }

  #accept(stack: Stack, request: StackRequest): void {
    stack.template = request.template
    stack.parameters = request.parameters
    stack.tags = request.tags
    stack.capabilities = request.capabilities
  }

  #start(work: () => Promise<void>): void {
    const running = work()
      .catch((fault: unknown) => {
        this.faults.push(fault)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #create(stack: Stack, template: Template): Promise<void> {
    for (const wanted of template.resources) {
      const error = await this.#attempt(() => this.#make(stack, wanted))
      if (error === undefined) continue
      const reason = `The following resource(s) failed to create: [${wanted.logicalId}]. `
      if (stack.disableRollback) {
        setStackStatus(stack, 'CREATE_FAILED', this.#options.now(), reason)
        return
      }
      const rolling = `${reason}Rollback requested by user.`
      setStackStatus(stack, 'ROLLBACK_IN_PROGRESS', this.#options.now(), rolling)
      const failed = await this.#removeAll(stack, [])
      const isClean = failed.length === 0
      const status = isClean ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED'
      setStackStatus(stack, status, this.#options.now())
      return
    }
    setStackStatus(stack, 'CREATE_COMPLETE', this.#options.now())
  }

  async #delete(stack: Stack, retain: readonly string[]): Promise<void> {
    const failed = await this.#removeAll(stack, retain)
    if (failed.length > 0) {
      const reason = `The following resource(s) failed to delete: [${failed.join(', ')}]. `
      setStackStatus(stack, 'DELETE_FAILED', this.#options.now(), reason)
      return
    }
    stack.deletedAtMs = this.#options.now()
    setStackStatus(stack, 'DELETE_COMPLETE', this.#options.now())
  }

  /**
   * Deletes in reverse order of dependency; what a failed one needs is left. Names of the failed.
   */
  async #removeAll(stack: Stack, retain: readonly string[]): Promise<readonly string[]> {
    const failed: string[] = []
    const needed = new Set<string>()
    for (const resource of [...stack.resources.values()].reverse()) {
      const template = templateResource(stack, resource.logicalId)
      const keep = () => {
        for (const name of template === undefined ? [] : dependencies(template)) needed.add(name)
      }
      if (needed.has(resource.logicalId)) {
        keep()
        continue
      }
      const retains = template?.deletionPolicy === 'Retain' || retain.includes(resource.logicalId)
      const isMade = resource.physicalId !== ''
      if (retains || !isMade) {
        const status = retains ? 'DELETE_SKIPPED' : 'DELETE_COMPLETE'
        setResourceStatus(stack, resource, status, this.#options.now())
        stack.resources.delete(resource.logicalId)
        continue
      }
      const error = await this.#attempt(() => this.#remove(stack, resource))
      if (error === undefined) {
        stack.resources.delete(resource.logicalId)
        continue
      }
      setResourceStatus(stack, resource, 'DELETE_FAILED', this.#options.now(), error.message)
      failed.push(resource.logicalId)
      keep()
    }
    return failed
  }

  async #update(
    stack: Stack,
    changes: readonly ResourceChange[],
    restore: () => void,
  ): Promise<void> {
    const undo: Undo[] = []
    const cleanup: (() => Promise<void>)[] = []
    for (const change of changes) {
      const error = await this.#attempt(() => this.#apply(stack, change, undo, cleanup))
      if (error === undefined) continue
      const reason = `The following resource(s) failed to update: [${change.logicalId}]. `
      setStackStatus(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', this.#options.now(), reason)
      restore()
      let isClean = true
      for (const step of undo.reverse()) {
        if ((await this.#attempt(step)) !== undefined) isClean = false
      }
      const status = isClean ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_FAILED'
      setStackStatus(stack, status, this.#options.now())
      return
    }
    const cleaning = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'
    setStackStatus(stack, cleaning, this.#options.now())
    // Source: update-behaviors of CloudFormation: what fails to clean up is left behind, and the
    // update is complete all the same.
    for (const step of cleanup) await this.#attempt(step)
    setStackStatus(stack, 'UPDATE_COMPLETE', this.#options.now())
  }

  async #apply(
    stack: Stack,
    change: ResourceChange,
    undo: Undo[],
    cleanup: (() => Promise<void>)[],
  ): Promise<void> {
    const wanted = templateResource(stack, change.logicalId)
    const existing = stack.resources.get(change.logicalId)
    if (change.action === 'Remove' && existing !== undefined) {
      cleanup.push(() => this.#discard(stack, existing, change.policyAction === 'Retain'))
      return
    }
    if (wanted === undefined) return
    if (existing === undefined) {
      undo.push(async () => {
        const made = stack.resources.get(wanted.logicalId)
        if (made !== undefined && made.physicalId !== '') await this.#remove(stack, made)
        stack.resources.delete(wanted.logicalId)
      })
      await this.#make(stack, wanted)
      return
    }
    await this.#modify(stack, existing, wanted, undo, cleanup)
  }

  async #modify(
    stack: Stack,
    existing: StackResource,
    wanted: TemplateResource,
    undo: Undo[],
    cleanup: (() => Promise<void>)[],
  ): Promise<void> {
    const type = this.#type(existing.type)
    const after = this.#resolved(stack, wanted)
    // The change again, now that every reference is known.
    const names = new Set([...Object.keys(existing.properties), ...Object.keys(after)])
    const replaces = [...names].some((name) => {
      const [old, now] = [existing.properties[name], after[name]]
      if (isDeepStrictEqual(old, now)) return false
      const needs = type.properties[name]
      if (needs === 'Conditionally') return type.replaces?.(name, old, now) ?? true
      return needs === 'Always'
    })
    if (replaces) {
      await this.#replace(stack, existing, wanted, undo, cleanup)
      return
    }
    const old = existing.properties
    setResourceStatus(stack, existing, 'UPDATE_IN_PROGRESS', this.#options.now())
    await this.#pause()
    undo.push(async () => {
      await type.update(existing.physicalId, after, old, this.#call(stack, existing.logicalId))
      existing.properties = old
      setResourceStatus(stack, existing, 'UPDATE_COMPLETE', this.#options.now())
    })
    await this.#orFail(stack, existing, 'UPDATE_FAILED', () =>
      type.update(existing.physicalId, old, after, this.#call(stack, existing.logicalId)),
    )
    existing.properties = after
    setResourceStatus(stack, existing, 'UPDATE_COMPLETE', this.#options.now())
  }

  async #replace(
    stack: Stack,
    existing: StackResource,
    wanted: TemplateResource,
    undo: Undo[],
    cleanup: (() => Promise<void>)[],
  ): Promise<void> {
    const { nameProperty } = this.#type(existing.type)
    const name = nameProperty === undefined ? undefined : wanted.properties[nameProperty]
    if (name !== undefined && resolve(name, this.#references(stack)) === existing.physicalId) {
      const message =
        'CloudFormation cannot update a stack when a custom-named resource ' +
        `requires replacing. Rename ${existing.physicalId} and update the ` +
        'stack again.'
      setResourceStatus(stack, existing, 'UPDATE_FAILED', this.#options.now(), message)
      throw new CloudError('ValidationError', message)
    }
    const reason =
      'Requested update requires the creation of a new physical resource; hence creating one.'
    setResourceStatus(stack, existing, 'UPDATE_IN_PROGRESS', this.#options.now(), reason)
    undo.push(async () => {
      const made = stack.resources.get(wanted.logicalId)
      if (made !== undefined && made !== existing && made.physicalId !== '') {
        await this.#remove(stack, made)
      }
      stack.resources.set(wanted.logicalId, existing)
      setResourceStatus(stack, existing, 'UPDATE_COMPLETE', this.#options.now())
    })
    await this.#make(stack, wanted)
    cleanup.push(() => this.#discardOld(stack, existing, wanted.updateReplacePolicy === 'Retain'))
  }

  async #make(stack: Stack, wanted: TemplateResource): Promise<void> {
    const type = this.#type(wanted.type)
    const properties = this.#resolved(stack, wanted)
    const resource: StackResource = {
      logicalId: wanted.logicalId,
      type: wanted.type,
      physicalId: '',
      properties,
      status: 'CREATE_IN_PROGRESS',
      reason: undefined,
      changedAtMs: this.#options.now(),
    }
    stack.resources.set(wanted.logicalId, resource)
    setResourceStatus(stack, resource, 'CREATE_IN_PROGRESS', this.#options.now())
    await this.#pause()
    await this.#orFail(stack, resource, 'CREATE_FAILED', async () => {
      resource.physicalId = await type.create(properties, this.#call(stack, wanted.logicalId))
    })
    setResourceStatus(stack, resource, 'CREATE_COMPLETE', this.#options.now())
    this.#tell('Create', stack, resource)
  }

  async #remove(stack: Stack, resource: StackResource): Promise<void> {
    const type = this.#type(resource.type)
    setResourceStatus(stack, resource, 'DELETE_IN_PROGRESS', this.#options.now())
    await this.#pause()
    const call = this.#call(stack, resource.logicalId)
    await type.delete(resource.physicalId, resource.properties, call)
    setResourceStatus(stack, resource, 'DELETE_COMPLETE', this.#options.now())
    this.#tell('Delete', stack, resource)
  }

  #tell(verb: ResourceDeed['verb'], stack: Stack, { type, physicalId }: StackResource): void {
    const { name: stackName, region } = stack
    const atMs = this.#options.now()
    this.#options.onDeed?.({ verb, type, physicalId, stackName, region, atMs })
  }

  /** A resource that left the template. */
  async #discard(stack: Stack, resource: StackResource, retains: boolean): Promise<void> {
    await this.#discardOld(stack, resource, retains)
    stack.resources.delete(resource.logicalId)
  }

  async #discardOld(stack: Stack, resource: StackResource, retains: boolean): Promise<void> {
    if (retains) setResourceStatus(stack, resource, 'DELETE_SKIPPED', this.#options.now())
    else await this.#remove(stack, resource)
  }

  /** The CloudError of a step that failed, or undefined. Anything else is a fault of the lab. */
  async #attempt(step: () => Promise<void>): Promise<CloudError | undefined> {
    try {
      await step()
      return undefined
    } catch (error) {
      if (error instanceof CloudError) return error
      throw error
    }
  }

  async #orFail(
    stack: Stack,
    resource: StackResource,
    status: string,
    step: () => Promise<void>,
  ): Promise<void> {
    const error = await this.#attempt(step)
    if (error === undefined) return
    setResourceStatus(stack, resource, status, this.#options.now(), error.message)
    throw error
  }

  #type(name: string): ResourceType {
    const type = this.#options.types.get(name)
    if (type !== undefined) return type
    throw new CloudError('ValidationError', `Unrecognized resource types: [${name}]`)
  }

  #references(stack: Stack) {
    return stackReferences(stack, stack.parameters, (resource, name) =>
      this.#type(resource.type).attribute(resource.physicalId, name, stack.region),
    )
  }

  #resolved(stack: Stack, wanted: TemplateResource): JsonObject {
    return resolve(wanted.properties, this.#references(stack)) as JsonObject
  }

  #call(stack: Stack, logicalId: string): ResourceCall {
    return {
      stackName: stack.name,
      logicalId,
      region: stack.region,
      nowMs: this.#options.now(),
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#options.stepMs))
  }
}
