// Opens the compiled index and gives the block of one signing name. The file is read once (about a
// millisecond); a block is inflated and parsed at its first use (1 to 70 ms) and kept for the
// process.

import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { CallError } from '../call-errors.ts'
import type { Model, OperationModel, ServiceBlock, Shape } from './model.ts'
import { type Route, routesOf } from './route.ts'

const INDEX_URL = new URL('../../data/service-index.bin', import.meta.url)

/** No block inflates to more than this; a damaged file cannot fill the memory. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024

/** A model with what recognition needs made ready once. */
export interface ReadyModel extends Model {
  /** Routes by HTTP method. */
  readonly routes: ReadonlyMap<string, readonly Route[]>
  /** Operations looked up so far. */
  readonly ready: Map<string, Operation>
}

/** An operation with its shapes resolved. */
export interface Operation {
  readonly name: string
  readonly model: ReadyModel
  readonly facts: OperationModel
  readonly members: Readonly<Record<string, Shape>>
}

export interface Service extends Omit<ServiceBlock, 'models'> {
  readonly models: readonly ReadyModel[]
}

interface IndexFile {
  readonly bytes: Buffer
  readonly blocksAt: number
  readonly services: Readonly<Record<string, readonly [offset: number, length: number]>>
  /** SDK service names (`rds`, `cloudwatchlogs`) to signing names. */
  readonly sdk: Readonly<Record<string, string>>
}

let file: IndexFile | undefined
const services = new Map<string, Service>()

function open(): IndexFile {
  if (file !== undefined) return file
  let bytes: Buffer
  try {
    bytes = readFileSync(INDEX_URL)
  } catch (cause) {
    throw new CallError('index_unreadable', 'the service index cannot be read', { cause })
  }
  const headerEnd = bytes.indexOf(0x0a)
  const header = JSON.parse(bytes.toString('utf8', 0, headerEnd)) as {
    readonly format: number
    readonly services: IndexFile['services']
    readonly sdk: IndexFile['sdk']
  }
  if (header.format !== 1) throw new CallError('index_unreadable', 'unknown index format')
  file = { bytes, blocksAt: headerEnd + 1, services: header.services, sdk: header.sdk }
  return file
}

/** Every signing name of the index, sorted. */
export function signingNames(): string[] {
  return Object.keys(open().services)
}

/**
 * What is known of a signing name, such as `dynamodb` or `monitoring`.
 * `unknown_service` where the index does not have it; `index_unreadable` where the file is damaged.
 */
export function serviceOf(signingName: string): Service {
  const known = services.get(signingName)
  if (known !== undefined) return known
  const index = open()
  const place = Object.hasOwn(index.services, signingName) ? index.services[signingName] : undefined
  if (place === undefined) {
    throw new CallError('unknown_service', 'the signing name of the scope is not in the index')
  }
  const start = index.blocksAt + place[0]
  const packed = index.bytes.subarray(start, start + place[1])
  const block = unpack(packed)
  const models = block.models.map((model) => ({
    ...model,
    routes: Map.groupBy(routesOf(model), (route) => route.method),
    ready: new Map<string, Operation>(),
  }))
  const service: Service = { ...block, models }
  services.set(signingName, service)
  return service
}

function unpack(packed: Uint8Array): ServiceBlock {
  try {
    const text = brotliDecompressSync(packed, { maxOutputLength: BLOCK_BYTES_MAX }).toString('utf8')
    return JSON.parse(text) as ServiceBlock
  } catch (cause) {
    throw new CallError('index_unreadable', 'a block of the service index is damaged', { cause })
  }
}

/** The signing name of a service under its SDK name, or under that name itself. */
export function signingNameOf(sdk: string): string | undefined {
  const index = open()
  if (Object.hasOwn(index.sdk, sdk)) return index.sdk[sdk]
  return Object.hasOwn(index.services, sdk) ? sdk : undefined
}

/** The operation `name` of a model, if it has it. */
export function operationOf(model: ReadyModel, name: string): Operation | undefined {
  const known = model.ready.get(name)
  if (known !== undefined || !Object.hasOwn(model.operations, name)) return known
  const facts = model.operations[name]
  if (facts === undefined) return undefined
  const input = facts.input === undefined ? undefined : resolve(model, facts.input)
  const operation = { name, model, facts, members: input?.members ?? {} }
  model.ready.set(name, operation)
  return operation
}

const keptShapes = new WeakMap<Shape, { shapes: Model['shapes']; resolved: Shape }>()

/** A shape with its name followed: binding fields of the reference win over those of the target. */
export function resolve(model: Pick<Model, 'shapes'>, shape: Shape): Shape {
  if (shape.shape === undefined) return shape
  const kept = keptShapes.get(shape)
  if (kept?.shapes === model.shapes) return kept.resolved
  const named = model.shapes[shape.shape]
  if (named === undefined) {
    throw new CallError('index_unreadable', `shape ${shape.shape} is missing in the index`)
  }
  const { shape: _, ...binding } = shape
  const resolved = { ...named, ...binding }
  keptShapes.set(shape, { shapes: model.shapes, resolved })
  return resolved
}
