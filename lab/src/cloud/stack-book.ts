// The stacks of the lab by name and id, and the reading of what a stack is asked to become.
import { CloudError } from './errors.ts'
import type { QueryInput } from './query-input.ts'
import { newStack, type Stack, type StackRequest } from './stack.ts'
import { checkTemplate, withDefaults } from './stack-changes.ts'
import type { ResourceTypes } from './stack-resource-types.ts'
import { parseTemplate } from './stack-template.ts'

export const STACKS_MAX = 200

/** States an update may start from. */
const UPDATABLE: readonly string[] = [
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
]

export class StackBook {
  readonly #stacks: Stack[] = []

  /** By name where it is not deleted, or by id whatever became of it. */
  find(nameOrId: string, region: string): Stack | undefined {
    return this.#stacks.findLast(
      (stack) =>
        stack.region === region &&
        (stack.id === nameOrId || (stack.name === nameOrId && stack.deletedAtMs === undefined)),
    )
  }

  /** ValidationError where there is none, in CloudFormation's own words. */
  stack(nameOrId: string, region: string): Stack {
    const stack = this.find(nameOrId, region)
    if (stack !== undefined) return stack
    throw new CloudError('ValidationError', `Stack with id ${nameOrId} does not exist`)
  }

  inRegion(region: string): readonly Stack[] {
    return this.#stacks.filter((stack) => stack.region === region)
  }

  add(name: string, region: string, nowMs: number): Stack {
    if (this.#stacks.length >= STACKS_MAX) {
      throw new CloudError('ValidationError', 'the lab keeps no more stacks')
    }
    const stack = newStack(name, region, nowMs)
    this.#stacks.push(stack)
    return stack
  }
}

/**
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
export function checkStackName(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(name)) return name
  const message =
    `1 validation error detected: Value '${name}' at 'stackName' failed to ` +
    'satisfy constraint: Member must satisfy regular expression pattern: ' +
    '[a-zA-Z][-a-zA-Z0-9]*'
  throw new CloudError('ValidationError', message)
}

export function isUpdatable(stack: Stack): boolean {
  return UPDATABLE.includes(stack.status)
}

export function checkUpdatable(stack: Stack): void {
  if (isUpdatable(stack)) return
  const message = `Stack:${stack.id} is in ${stack.status} state and can not be updated.`
  throw new CloudError('ValidationError', message)
}

/** Source: API_ExecuteChangeSet: what another update did makes the other change sets obsolete. */
export function obsoleteChangeSets(stack: Stack): void {
  for (const changeSet of stack.changeSets.values()) {
    if (changeSet.executionStatus === 'AVAILABLE') changeSet.executionStatus = 'OBSOLETE'
  }
}

/** Template, parameters, tags and capabilities; what is asked to stay comes from `previous`. */
export function readStackRequest(
  input: QueryInput,
  previous: Stack | undefined,
  types: ResourceTypes,
): StackRequest {
  const body = input.optional('TemplateBody')
  const usesPrevious = input.boolean('UsePreviousTemplate') === true
  if (usesPrevious === (body !== undefined)) {
    throw new CloudError('ValidationError', 'Either a template body or the previous template')
  }
  const template = usesPrevious ? previous?.template : parseTemplate(body ?? '')
  if (template === undefined) {
    throw new CloudError('ValidationError', 'There is no previous template')
  }
  checkTemplate(template, types)
  return {
    template,
    parameters: withDefaults(template, readParameters(input, previous)),
    tags: input.pairs('Tags', 'Key', 'Value'),
    capabilities: input.list('Capabilities'),
  }
}

function readParameters(input: QueryInput, previous: Stack | undefined): Map<string, string> {
  const given = new Map<string, string>()
  for (const prefix of input.prefixes('Parameters')) {
    const name = input.required(`${prefix}.ParameterKey`)
    const keeps = input.boolean(`${prefix}.UsePreviousValue`) === true
    const value = keeps
      ? previous?.parameters.get(name)
      : input.optional(`${prefix}.ParameterValue`)
    if (value === undefined) {
      throw new CloudError('ValidationError', `Parameters: [${name}] must have values`)
    }
    given.set(name, value)
  }
  return given
}
