// Makes the newest Model of each service from the API files of the npm package `aws-sdk` (v2,
// Apache-2.0). It reads files only; it knows nothing of IAM.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ModelProtocol, OperationModel, Shape } from '../src/index/model.ts'
import { answersCredential } from './credential-answers.ts'

/** A model before it is joined with IAM. */
export interface RawModel {
  readonly id: string
  readonly signingName: string
  readonly protocol: ModelProtocol
  readonly jsonVersion?: string
  readonly version: string
  readonly targetPrefix?: string
  readonly otherTargets?: readonly string[]
  readonly endpointPrefix?: string
  readonly operations: Record<string, OperationModel>
  readonly shapes: Record<string, Shape>
}

interface ApiFile {
  readonly metadata: Readonly<Record<string, string>>
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly http?: { readonly method?: string; readonly requestUri?: string }
        readonly input?: Shape
        readonly output?: Shape
        readonly deprecated?: boolean
      }
    >
  >
  readonly shapes?: Readonly<Record<string, Shape>>
}

const SHAPE_FIELDS = [
  'shape',
  'type',
  'required',
  'location',
  'locationName',
  'queryName',
  'flattened',
  'payload',
  'xmlAttribute',
  'streaming',
  'jsonvalue',
  'document',
  'idempotencyToken',
] as const

/** The newest API version of every service in the package, sorted by id. */
export function readSdkModels(): { readonly version: string; readonly models: RawModel[] } {
  const root = dirname(createRequire(import.meta.url).resolve('aws-sdk/package.json'))
  const version: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  const newest = new Map<string, RawModel>()
  const files = readdirSync(join(root, 'apis')).filter((name) => name.endsWith('.min.json'))
  for (const file of files.sort()) {
    const model = toModel(JSON.parse(readFileSync(join(root, 'apis', file), 'utf8')))
    const known = newest.get(model.id)
    if (known === undefined || known.version < model.version) newest.set(model.id, model)
  }
  return { version, models: [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

function toModel(file: ApiFile): RawModel {
  const { metadata } = file
  const shapes = file.shapes ?? {}
  const operations: Record<string, OperationModel> = {}
  const used: Record<string, Shape> = {}
  for (const [name, operation] of Object.entries(file.operations)) {
    operations[name] = {
      ...(operation.http?.method === undefined ? {} : { method: operation.http.method }),
      ...(operation.http?.requestUri === undefined ? {} : { uri: operation.http.requestUri }),
      ...(operation.input === undefined ? {} : { input: trim(operation.input, shapes, used) }),
      ...(operation.deprecated === true ? { deprecated: true } : {}),
      ...(answersCredential(operation.output, shapes) ? { answersCredential: true } : {}),
    }
  }
  return {
    id: metadata['serviceId'] ?? metadata['uid'] ?? '',
    signingName: metadata['signingName'] ?? metadata['endpointPrefix'] ?? '',
    protocol: metadata['protocol'] as ModelProtocol,
    version: metadata['apiVersion'] ?? '',
    ...(metadata['jsonVersion'] === undefined ? {} : { jsonVersion: metadata['jsonVersion'] }),
    ...(metadata['targetPrefix'] === undefined ? {} : { targetPrefix: metadata['targetPrefix'] }),
    ...(metadata['endpointPrefix'] === undefined
      ? {}
      : { endpointPrefix: metadata['endpointPrefix'] }),
    operations,
    shapes: used,
  }
}

/**
 * The shape with only the fields that decoding reads; named shapes it reaches are put into `used`.
 */
export function trim(
  shape: Shape,
  shapes: Readonly<Record<string, Shape>>,
  used: Record<string, Shape>,
): Shape {
  const kept: Record<string, unknown> = {}
  for (const field of SHAPE_FIELDS) {
    if (shape[field] !== undefined) kept[field] = shape[field]
  }
  if (kept['type'] === 'string') delete kept['type']
  const name = shape.shape
  if (name !== undefined && used[name] === undefined) {
    used[name] = {}
    const named = shapes[name]
    if (named === undefined) throw new Error(`shape \`${name}\` is not in the API file`)
    used[name] = trim(named, shapes, used)
  }
  if (shape.members !== undefined) {
    kept['members'] = Object.fromEntries(
      Object.entries(shape.members).map(([key, member]) => [key, trim(member, shapes, used)]),
    )
  }
  for (const field of ['member', 'key', 'value'] as const) {
    const inner = shape[field]
    if (inner !== undefined) kept[field] = trim(inner, shapes, used)
  }
  return kept as Shape
}
