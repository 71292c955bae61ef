// Joins models of one service: the first is the base, later ones add the operations and members it
// lacks. A member both know keeps the base's shape, with the members that only the later one has. An
// operation that moved to another path is in a model of its own, so that both paths are read.

import type { OperationModel, Shape } from '../src/index/model.ts'
import type { RawModel } from './sdk-models.ts'

/** How deep two shapes are joined; recursive shapes end here. */
const MERGE_DEPTH_MAX = 12

/**
 * The base models, each with what the additions of the same id know more; new ids come at the end.
 */
export function mergeModels(base: readonly RawModel[], additions: readonly RawModel[]): RawModel[] {
  const byId = new Map(base.map((model) => [model.id, model]))
  const moved: RawModel[] = []
  for (const addition of additions) {
    const known = byId.get(addition.id)
    byId.set(addition.id, known === undefined ? addition : mergeModel(known, addition))
    if (known !== undefined) moved.push(...movedModel(known, addition))
  }
  return [...byId.values(), ...moved]
}

function mergeModel(base: RawModel, addition: RawModel): RawModel {
  const merge = new Merge(base, addition)
  const operations: Record<string, OperationModel> = { ...base.operations }
  for (const [name, added] of Object.entries(addition.operations)) {
    const known = operations[name]
    if (known === undefined) {
      operations[name] = merge.imported(added)
      continue
    }
    const empty: Shape = { type: 'structure', members: {} }
    operations[name] = {
      ...known,
      ...(added.input === undefined
        ? {}
        : { input: merge.joined(known.input ?? empty, added.input, 0) }),
      ...(added.answersCredential === true ? { answersCredential: true } : {}),
    }
  }
  return {
    ...base,
    ...targetsOf(base, addition),
    operations,
    shapes: merge.shapes,
  }
}

/** Clients of one service may put different names before the operation; all of them are its own. */
function targetsOf(base: RawModel, addition: RawModel): Partial<RawModel> {
  if (addition.targetPrefix === undefined || addition.targetPrefix === base.targetPrefix) return {}
  if (base.targetPrefix !== undefined) return { otherTargets: [addition.targetPrefix] }
  const { targetPrefix, jsonVersion } = addition
  return { targetPrefix, ...(jsonVersion === undefined ? {} : { jsonVersion }) }
}

/** The operations that newer clients send to another path or by another method. */
function movedModel(base: RawModel, addition: RawModel): RawModel[] {
  const merge = new Merge({ ...base, shapes: {} }, addition)
  const operations: Record<string, OperationModel> = {}
  for (const [name, added] of Object.entries(addition.operations)) {
    const known = base.operations[name]
    if (known === undefined || added.uri === undefined || known.uri === undefined) continue
    if (routeOf(added) !== routeOf(known)) operations[name] = merge.imported(added)
  }
  if (Object.keys(operations).length === 0) return []
  return [{ ...base, operations, shapes: merge.shapes }]
}

/** A label's name and a slash at the end are each model's own. */
function routeOf({ method = 'POST', uri = '/' }: OperationModel): string {
  return `${method} ${uri.replace(/\{[^}+]+(\+?)\}/g, '{$1}').replace(/\/$/, '')}`
}

/** A token by the newer model is one: its clients make up a value where none was given. */
function withToken(shape: Shape, added: Shape): Shape {
  return added.idempotencyToken === true ? { ...shape, idempotencyToken: true } : shape
}

class Merge {
  readonly shapes: Record<string, Shape>
  readonly #added: Readonly<Record<string, Shape>>
  readonly #seen = new Set<string>()

  constructor(base: RawModel, addition: RawModel) {
    this.shapes = { ...base.shapes }
    this.#added = addition.shapes
  }

  imported(operation: OperationModel): OperationModel {
    if (operation.input === undefined) return operation
    return { ...operation, input: this.#take(operation.input) }
  }

  /** `base` with every member that only `added` has. */
  joined(base: Shape, added: Shape, depth: number): Shape {
    if (depth > MERGE_DEPTH_MAX) return base
    const addedShape = added.shape === undefined ? added : { ...this.#added[added.shape], ...added }
    if (base.shape !== undefined) {
      const name = base.shape
      const named = this.shapes[name]
      const visit = `${name} ${added.shape ?? ''}`
      if (named !== undefined && !this.#seen.has(visit)) {
        this.#seen.add(visit)
        this.shapes[name] = this.joined(named, addedShape, depth + 1)
      }
      return base
    }
    const result: Record<string, unknown> = { ...base }
    if (
      addedShape.members !== undefined &&
      (base.members !== undefined || base.type === 'structure')
    ) {
      const members: Record<string, Shape> = { ...base.members }
      for (const [name, member] of Object.entries(addedShape.members)) {
        const known = members[name]
        members[name] =
          known === undefined
            ? this.#take(member)
            : withToken(this.joined(known, member, depth + 1), member)
      }
      result['members'] = members
      const isBodyFree = Object.values(base.members ?? {}).every(({ location }) => location)
      if (addedShape.payload !== undefined && isBodyFree) result['payload'] = addedShape.payload
    }
    for (const field of ['member', 'value'] as const) {
      const mine = base[field]
      const other = addedShape[field]
      if (mine !== undefined && other !== undefined)
        result[field] = this.joined(mine, other, depth + 1)
    }
    return result as Shape
  }

  /** A shape of the addition with its named shapes brought over under names of their own. */
  #take(shape: Shape): Shape {
    const result: Record<string, unknown> = { ...shape }
    if (shape.shape !== undefined) {
      const name = `+${shape.shape}`
      result['shape'] = name
      const named = this.#added[shape.shape]
      if (this.shapes[name] === undefined && named !== undefined) {
        this.shapes[name] = {}
        this.shapes[name] = this.#take(named)
      }
    }
    if (shape.members !== undefined) {
      result['members'] = Object.fromEntries(
        Object.entries(shape.members).map(([key, member]) => [key, this.#take(member)]),
      )
    }
    for (const field of ['member', 'key', 'value'] as const) {
      const inner = shape[field]
      if (inner !== undefined) result[field] = this.#take(inner)
    }
    return result as Shape
  }
}
