// Finds, in the input model of every operation, the members that data/tables/masks.json and the
// idempotency trait name: secrets to mask, tokens to leave out. Closed at build time, so that
// nothing is masked or dropped by its name when a request comes (redteam C9, H12).

import { readFileSync } from 'node:fs'
import type { Model, OperationModel, Shape } from '../src/index/model.ts'
import type { RawModel } from './sdk-models.ts'

export interface Positions {
  /** Member names that hold a secret wherever a model has them. */
  readonly secretMembers: ReadonlySet<string>
  /** `prefix:Operation path` of secrets under names that elsewhere are none. */
  readonly secretPaths: ReadonlyMap<string, readonly string[]>
  /** `prefix:Operation` whose secrets by name are shown, because they are code or none at all. */
  readonly shown: ReadonlySet<string>
  /** `prefix:Operation.Member` of tokens that change what happens. */
  readonly keptTokens: ReadonlySet<string>
}

interface MaskFile {
  readonly members: readonly { readonly name: string }[]
  readonly paths: readonly { readonly operation: string; readonly path: string }[]
  readonly shown: readonly { readonly operation: string }[]
}

interface TokenFile {
  readonly rows: readonly { readonly operation: string; readonly member: string }[]
}

function table<File>(name: string): File {
  return JSON.parse(readFileSync(new URL(`../data/tables/${name}.json`, import.meta.url), 'utf8'))
}

export function readPositions(): Positions {
  const masks = table<MaskFile>('masks')
  const tokens = table<TokenFile>('kept-tokens')
  const paths = Map.groupBy(masks.paths, (row) => row.operation)
  return {
    secretMembers: new Set(masks.members.map((row) => row.name)),
    secretPaths: new Map([...paths].map(([key, rows]) => [key, rows.map((row) => row.path)])),
    shown: new Set(masks.shown.map((row) => row.operation)),
    keptTokens: new Set(tokens.rows.map((row) => `${row.operation}.${row.member}`)),
  }
}

/** The model with `masks` and `tokens` on every operation that has some. */
export function withPositions(raw: RawModel, prefix: string, positions: Positions): Model {
  const { signingName: _, ...model } = raw
  const operations: Record<string, OperationModel> = {}
  for (const [name, operation] of Object.entries(raw.operations)) {
    const key = `${prefix}:${name}`
    const masks = positions.shown.has(key) ? [] : secretPathsOf(raw, operation, positions)
    masks.push(...(positions.secretPaths.get(key) ?? []))
    const tokens = tokensOf(raw, operation).filter((t) => !positions.keptTokens.has(`${key}.${t}`))
    operations[name] = {
      ...operation,
      ...(masks.length === 0 ? {} : { masks: [...new Set(masks)].sort() }),
      ...(tokens.length === 0 ? {} : { tokens }),
    }
  }
  return { ...model, operations }
}

function tokensOf(raw: RawModel, operation: OperationModel): string[] {
  const members = shapeOf(raw, operation.input)?.members ?? {}
  return Object.entries(members)
    .filter(([, member]) => member.idempotencyToken === true)
    .map(([name]) => name)
}

const PATH_DEPTH_MAX = 8

function secretPathsOf(raw: RawModel, operation: OperationModel, positions: Positions): string[] {
  const found: string[] = []
  const visit = (shape: Shape | undefined, path: readonly string[]): void => {
    const resolved = shapeOf(raw, shape)
    if (resolved === undefined || path.length > PATH_DEPTH_MAX) return
    for (const [name, member] of Object.entries(resolved.members ?? {})) {
      const inner = shapeOf(raw, member)
      const isText = inner?.type === undefined || inner.type === 'blob'
      if (isText && positions.secretMembers.has(name)) found.push([...path, name].join('.'))
      else visit(member, [...path, name])
    }
    if (resolved.type === 'list') visit(resolved.member, [...path, '*'])
    if (resolved.type === 'map') visit(resolved.value, [...path, '*'])
  }
  visit(operation.input, [])
  return found
}

function shapeOf(raw: RawModel, shape: Shape | undefined): Shape | undefined {
  return shape?.shape === undefined ? shape : raw.shapes[shape.shape]
}
