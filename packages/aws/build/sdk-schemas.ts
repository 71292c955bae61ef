// Makes models from the schemas of the AWS SDK for JavaScript v3 clients that are installed: the
// current npm form of the service models. They add to the frozen v2 files what those lack.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Location, ModelProtocol, OperationModel, Shape } from '../src/index/model.ts'
import type { RawModel } from './sdk-models.ts'

interface Client {
  readonly client: string
  readonly id: string
  readonly signingName: string
  readonly protocol: ModelProtocol
  readonly version: string
}

/** Protocol and version as in each client's dist-es/runtimeConfig.shared.js. */
const CLIENTS: readonly Client[] = [
  {
    client: 'cloudformation',
    id: 'CloudFormation',
    signingName: 'cloudformation',
    protocol: 'query',
    version: '2010-05-15',
  },
  {
    client: 'cost-explorer',
    id: 'Cost Explorer',
    signingName: 'ce',
    protocol: 'json',
    version: '2017-10-25',
  },
  {
    client: 'dynamodb',
    id: 'DynamoDB',
    signingName: 'dynamodb',
    protocol: 'json',
    version: '2012-08-10',
  },
  { client: 's3', id: 'S3', signingName: 's3', protocol: 'rest-xml', version: '2006-03-01' },
  { client: 'sts', id: 'STS', signingName: 'sts', protocol: 'query', version: '2011-06-15' },
]

/**
 * A schema as the clients hold it: a number, a function that gives one, a pair with traits, or a
 * list.
 */
type Schema = number | (() => Schema) | readonly unknown[] | undefined
type Traits = Readonly<Record<string, unknown>>

export interface SdkSchemas {
  readonly versions: Readonly<Record<string, string>>
  readonly models: readonly RawModel[]
}

export async function readSdkSchemas(): Promise<SdkSchemas> {
  const versions: Record<string, string> = {}
  const models: RawModel[] = []
  for (const client of CLIENTS) {
    const name = `@aws-sdk/client-${client.client}`
    const entry = createRequire(import.meta.url).resolve(name)
    const part = join(...name.split('/')) + sep
    const root = entry.slice(0, entry.lastIndexOf(part) + part.length)
    versions[name] = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
    models.push(toModel(client, Object.values(await import(pathToFileURL(entry).href)) as Schema[]))
  }
  return { versions, models }
}

function toModel(client: Client, exported: readonly Schema[]): RawModel {
  const reader = new SchemaReader(client.protocol)
  const operations: Record<string, OperationModel> = {}
  for (const schema of exported) {
    // [9, namespace, name, traits, input, output] is an operation.
    if (!Array.isArray(schema) || schema[0] !== 9) continue
    const [, , name, traits, input] = schema
    const http = isRecord(traits) ? (traits['http'] as readonly string[] | undefined) : undefined
    const shape = reader.shape(input as Schema)
    const inBucket = reader.members(shape)['Bucket']?.location === 'uri'
    operations[String(name)] = {
      ...(http === undefined
        ? {}
        : { method: http[0] ?? 'POST', uri: uriOf(http[1] ?? '/', inBucket) }),
      input: shape,
    }
  }
  const { id, signingName, protocol, version } = client
  return { id, signingName, protocol, version, operations, shapes: reader.shapes }
}

/** v3 leaves the bucket to the endpoint and adds `x-id`, which is only a label for logs. */
function uriOf(uri: string, inBucket: boolean): string {
  const [path = '/', query = ''] = uri.split('?')
  const kept = query.split('&').filter((part) => part !== '' && !part.startsWith('x-id='))
  const full = inBucket ? `/{Bucket}${path === '/' ? '' : path}` : path
  return kept.length === 0 ? full : `${full}?${kept.join('&')}`
}

function isRecord(value: unknown): value is Traits {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Types by the numbers of @smithy/core/schema. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'integer',
  2: 'boolean',
  4: 'timestamp',
  5: 'timestamp',
  6: 'timestamp',
  7: 'timestamp',
  17: 'long',
  19: 'double',
  21: 'blob',
  42: 'blob',
}

class SchemaReader {
  readonly shapes: Record<string, Shape> = {}
  readonly #protocol: ModelProtocol

  constructor(protocol: ModelProtocol) {
    this.#protocol = protocol
  }

  members(shape: Shape): Readonly<Record<string, Shape>> {
    return this.shapes[shape.shape ?? '']?.members ?? {}
  }

  shape(schema: Schema): Shape {
    if (typeof schema === 'function') return this.shape(schema())
    if (typeof schema === 'number') return this.#number(schema)
    if (!Array.isArray(schema)) return {}
    const [kind] = schema
    // A member may be written [schema, traits]; a declared schema starts with its kind and
    // namespace.
    if (schema.length === 2 && (isRecord(schema[1]) || typeof schema[1] === 'number')) {
      return { ...this.shape(schema[0] as Schema), ...this.#binding(schema[1]) }
    }
    const name = String(schema[2])
    switch (kind) {
      case 0:
        return this.shape(schema[4] as Schema)
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#named(name, schema)
      default:
        return {}
    }
  }

  #named(name: string, schema: readonly unknown[]): Shape {
    if (this.shapes[name] === undefined) {
      this.shapes[name] = {}
      this.shapes[name] = this.#declared(schema)
    }
    return { shape: name }
  }

  #declared(schema: readonly unknown[]): Shape {
    if (schema[0] === 1) return { type: 'list', member: this.shape(schema[4] as Schema) }
    if (schema[0] === 2) {
      const value = this.shape(schema[5] as Schema)
      return { type: 'map', key: this.shape(schema[4] as Schema), value }
    }
    const names = schema[4] as readonly string[]
    const schemas = schema[5] as readonly Schema[]
    const members: Record<string, Shape> = {}
    names.forEach((name, at) => {
      members[name] = this.#member(name, schemas[at])
    })
    const payload = names.find((_, at) => isPayload(schemas[at]))
    return { type: 'structure', members, ...(payload === undefined ? {} : { payload }) }
  }

  #member(name: string, schema: Schema): Shape {
    const shape = this.shape(schema)
    return shape.location === 'uri' && shape.locationName === undefined
      ? { ...shape, locationName: name }
      : shape
  }

  #number(code: number): Shape {
    if (code >= 128) return { type: 'map', key: {}, value: this.#number(code - 128) }
    if (code >= 64) return { type: 'list', member: this.#number(code - 64) }
    const type = TYPES[code]
    return type === undefined ? {} : { type, ...(code === 42 ? { streaming: true } : {}) }
  }

  #binding(traits: unknown): Shape {
    if (typeof traits === 'number') {
      return {
        ...((traits & 1) === 0 ? {} : { location: 'uri' as Location }),
        ...((traits & 4) === 0 ? {} : { idempotencyToken: true }),
      }
    }
    if (!isRecord(traits)) return {}
    const header = traits['httpHeader']
    if (header !== undefined) return { location: 'header', locationName: String(header) }
    const prefix = traits['httpPrefixHeaders']
    if (prefix !== undefined) return { location: 'headers', locationName: String(prefix) }
    const query = traits['httpQuery']
    if (query !== undefined) return { location: 'querystring', locationName: String(query) }
    const name = this.#protocol === 'json' ? undefined : traits['xmlName']
    return {
      ...(name === undefined ? {} : { locationName: String(name) }),
      ...(traits['xmlFlattened'] === undefined ? {} : { flattened: true }),
      ...(traits['idempotencyToken'] === undefined ? {} : { idempotencyToken: true }),
    }
  }
}

function isPayload(schema: Schema): boolean {
  if (!Array.isArray(schema) || schema.length !== 2) return false
  const traits = schema[1]
  if (typeof traits === 'number') return (traits & 16) !== 0
  return isRecord(traits) && traits['httpPayload'] !== undefined
}
