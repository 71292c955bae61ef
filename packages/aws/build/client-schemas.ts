// Makes a model of one service from the schemas of its AWS SDK for JavaScript v3 client, in the shape
// grammar of the v2 files. Each protocol's naming traits are turned into that grammar's names here.

import type { Location, ModelProtocol, OperationModel, Shape } from '../src/index/model.ts'
import type { ClientFacts, Schema } from './client-facts.ts'
import { answersCredential } from './credential-answers.ts'
import type { RawModel } from './sdk-models.ts'

/** An operation with what only the checks read. */
export interface ClientOperation extends OperationModel {
  /** The label the model puts before the host. */
  readonly hostPrefix?: string
  /** The input is an event stream. */
  readonly eventInput?: true
}

export interface ClientModel extends RawModel {
  readonly operations: Record<string, ClientOperation>
}

type Traits = Readonly<Record<string, unknown>>

/** The model of a client. */
export function modelOf(facts: ClientFacts): ClientModel {
  const reader = new SchemaReader(facts.protocol)
  const answers = new SchemaReader(facts.protocol)
  const operations: Record<string, ClientOperation> = {}
  for (const [, , name, traits, input, output] of facts.operations) {
    const { http, endpoint } = traitsOf(traits) as Readonly<Record<string, readonly string[]>>
    const shape = reader.input(input as Schema)
    const inBucket = facts.id === 'S3' && reader.members(shape)['Bucket']?.location === 'uri'
    operations[String(name)] = {
      ...(http === undefined || !reader.bindsHttp
        ? {}
        : { method: http[0] ?? 'POST', uri: uriOf(http[1] ?? '/', inBucket) }),
      ...(shape === undefined ? {} : { input: shape }),
      ...(answersCredential(answers.shape(output as Schema), answers.shapes)
        ? { answersCredential: true }
        : {}),
      ...(endpoint?.[0] === undefined ? {} : { hostPrefix: endpoint[0] }),
      ...(reader.hasEvents(shape) ? { eventInput: true as const } : {}),
    }
  }
  const { operations: _, ...service } = facts
  return { ...service, operations, shapes: reader.shapes }
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

/**
 * Types by their numbers. A `1` is any number that fits a double, so no text of a fraction is refused.
 * Source: https://github.com/smithy-lang/smithy-typescript packages/types/src/schema/sentinels.ts
 */
const TYPES: Readonly<Record<number, Shape>> = {
  0: {},
  1: { type: 'double' },
  2: { type: 'boolean' },
  4: { type: 'timestamp' },
  5: { type: 'timestamp' },
  6: { type: 'timestamp' },
  7: { type: 'timestamp' },
  15: { type: 'structure', members: {}, document: true },
  17: { type: 'long' },
  19: { type: 'bigDecimal' },
  21: { type: 'blob' },
  42: { type: 'blob', streaming: true },
}

/**
 * Traits written as one number, by bit.
 * Source: https://github.com/smithy-lang/smithy-typescript packages/core/src/submodules/schema/schemas/translateTraits.ts
 */
const BITS = [
  'httpLabel',
  'idempotent',
  'idempotencyToken',
  'sensitive',
  'httpPayload',
  'httpResponseCode',
  'httpQueryParams',
] as const

function traitsOf(traits: unknown): Traits {
  if (isRecord(traits)) return traits
  const bits = typeof traits === 'number' ? traits : 0
  return Object.fromEntries(
    BITS.filter((_, at) => (bits & (1 << at)) !== 0).map((name) => [name, 1]),
  )
}

/** Stands for a structure without members, and for no input at all. */
const UNIT = 'unit'

class SchemaReader {
  readonly shapes: Record<string, Shape> = {}
  readonly #protocol: ModelProtocol
  readonly #events = new Set<string>()

  constructor(protocol: ModelProtocol) {
    this.#protocol = protocol
  }

  /** Only REST protocols read the HTTP traits; a model may carry them all the same (Lightsail does). */
  get bindsHttp(): boolean {
    return this.#protocol === 'rest-json' || this.#protocol === 'rest-xml'
  }

  members(shape: Shape | undefined): Readonly<Record<string, Shape>> {
    return this.shapes[shape?.shape ?? '']?.members ?? {}
  }

  /** True where a member of the input is an event stream. */
  hasEvents(shape: Shape | undefined): boolean {
    return Object.values(this.members(shape)).some((member) => this.#events.has(member.shape ?? ''))
  }

  /** An operation's input; absent where it takes none. */
  input(schema: Schema): Shape | undefined {
    if (target(schema) === UNIT) return undefined
    const shape = this.shape(schema)
    if (this.#protocol !== 'rest-xml') return shape
    const hasBody = Object.values(this.members(shape)).some(
      (member) => member.location === undefined,
    )
    const isPayload = this.shapes[shape.shape ?? '']?.payload !== undefined
    return hasBody && !isPayload ? { ...shape, locationName: rootName(schema) } : shape
  }

  shape(schema: Schema): Shape {
    if (typeof schema === 'function') return this.shape(schema())
    if (typeof schema === 'number') return this.#number(schema)
    if (schema === UNIT) return { type: 'structure', members: {} }
    if (!Array.isArray(schema)) throw new Error('a schema of an unknown form')
    // A member may be written [schema, traits]; a declared schema starts with its kind and namespace.
    if (schema.length <= 2) return this.#bound(schema[0] as Schema, traitsOf(schema[1]))
    const [kind, , name] = schema
    if (kind === 0) {
      const isJson = traitsOf(schema[3])['mediaType'] === 'application/json'
      return { ...this.shape(schema[4] as Schema), ...(isJson ? { jsonvalue: true } : {}) }
    }
    // List, map, structure, union, and an error where an answer holds one.
    if ([1, 2, 3, 4, -3].includes(Number(kind))) return this.#named(String(name), schema)
    throw new Error(`a schema of an unknown kind: \`${kind}\``)
  }

  #named(name: string, schema: readonly unknown[]): Shape {
    if (this.shapes[name] === undefined) {
      this.shapes[name] = {}
      if (traitsOf(schema[3])['streaming'] !== undefined) this.#events.add(name)
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
    // The required members come first; their number stands at the end.
    const required = names.slice(0, Number(schema[6] ?? 0))
    const members: Record<string, Shape> = {}
    names.forEach((name, at) => {
      const shape = this.shape(schemas[at])
      const isLabel = shape.location === 'uri' && shape.locationName === undefined
      members[name] = isLabel ? { ...shape, locationName: name } : shape
    })
    const payload = this.bindsHttp
      ? names.find((_, at) => memberTraits(schemas[at])['httpPayload'] !== undefined)
      : undefined
    return {
      type: 'structure',
      ...(required.length === 0 ? {} : { required }),
      members,
      ...(payload === undefined ? {} : { payload }),
    }
  }

  #number(code: number): Shape {
    if (code >= 128) return { type: 'map', key: {}, value: this.#number(code - 128) }
    if (code >= 64) return { type: 'list', member: this.#number(code - 64) }
    const type = TYPES[code]
    if (type === undefined) throw new Error(`schema type ${code} is unknown`)
    return type
  }

  #bound(target: Schema, traits: Traits): Shape {
    const shape = this.shape(target)
    const isToken = traits['idempotencyToken'] !== undefined
    const token = isToken ? { idempotencyToken: true } : {}
    const { jsonvalue, ...plain } = shape
    const place = this.bindsHttp ? placeOf(traits) : undefined
    // A JSON text is one only in a header; in a body it travels as the string it is.
    if (place?.location === 'header') return { ...shape, ...token, ...place }
    if (place !== undefined) return { ...plain, ...token, ...place }
    if (traits['xmlFlattened'] !== undefined && this.#readsXmlNames()) {
      return { ...this.#flattened(plain), ...token, ...this.#names(traits) }
    }
    const names = this.#names(traits)
    const isRoot = this.#protocol === 'rest-xml' && traits['httpPayload'] !== undefined
    const root = isRoot && plain.shape !== undefined ? { locationName: rootName(target) } : {}
    return { ...plain, ...token, ...root, ...names }
  }

  #readsXmlNames(): boolean {
    return this.#protocol !== 'json' && this.#protocol !== 'rest-json' && this.#protocol !== 'cbor'
  }

  /**
   * A flattened list's elements carry the member's own name, whatever the list calls them elsewhere.
   * Source: https://smithy.io/2.0/spec/protocol-traits.html#flattened-list-serialization
   */
  #flattened(shape: Shape): Shape {
    const declared = shape.shape === undefined ? shape : this.shapes[shape.shape]
    if (declared?.type !== 'list') return { ...shape, flattened: true }
    const { locationName: _, ...member } = declared.member ?? {}
    return { type: 'list', member, flattened: true }
  }

  #names(traits: Traits): Shape {
    const { jsonName, xmlName, ec2QueryName, xmlAttribute } = traits
    if (this.#protocol === 'json' || this.#protocol === 'cbor') return {}
    const name = this.#protocol === 'rest-json' ? jsonName : xmlName
    const isEc2 = this.#protocol === 'ec2' && ec2QueryName !== undefined
    return {
      ...(name === undefined ? {} : { locationName: String(name) }),
      ...(isEc2 ? { queryName: String(ec2QueryName) } : {}),
      ...(xmlAttribute === undefined ? {} : { xmlAttribute: true }),
    }
  }
}

function placeOf(traits: Traits): { location: Location; locationName?: string } | undefined {
  const { httpLabel, httpHeader, httpPrefixHeaders, httpQuery, httpQueryParams } = traits
  if (httpLabel !== undefined) return { location: 'uri' }
  if (httpHeader !== undefined) return { location: 'header', locationName: String(httpHeader) }
  if (httpPrefixHeaders !== undefined) {
    return { location: 'headers', locationName: String(httpPrefixHeaders) }
  }
  if (httpQuery !== undefined) return { location: 'querystring', locationName: String(httpQuery) }
  return httpQueryParams === undefined ? undefined : { location: 'querystring' }
}

function target(schema: Schema): Schema {
  return typeof schema === 'function' ? target(schema()) : schema
}

function memberTraits(schema: Schema): Traits {
  return Array.isArray(schema) && schema.length <= 2 ? traitsOf(schema[1]) : {}
}

/** Source: https://smithy.io/2.0/spec/protocol-traits.html#xmlname-trait (root element names) */
function rootName(schema: Schema): string {
  const declared = target(schema)
  const [, , name, traits] = Array.isArray(declared) ? declared : []
  return String(traitsOf(traits)['xmlName'] ?? name)
}
