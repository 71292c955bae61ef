// Reads one v3 client's files: what its runtime configuration, its auth scheme and its schemas say.
// The schemas are static arrays; they are evaluated in an empty context after the package's integrity
// was checked, and nothing else of the package runs.

import vm from 'node:vm'
import type { ModelProtocol } from '../src/index/model.ts'
import type { FetchedClient } from './client-archive.ts'

/**
 * A schema as the clients hold it: a number, a function that gives one, a pair with traits, or a
 * list; the text `unit` is none. Source: https://github.com/smithy-lang/smithy-typescript packages/types/src/schema/static-schemas.ts
 */
export type Schema = number | string | (() => Schema) | readonly unknown[] | undefined

export interface ClientFacts {
  readonly id: string
  readonly signingName: string
  readonly protocol: ModelProtocol
  readonly jsonVersion?: string
  readonly version: string
  /** Only of a client that speaks AWS JSON: elsewhere the name is in no request. */
  readonly targetPrefix?: string
  /** `[9, namespace, name, traits, input, output]` each. */
  readonly operations: readonly (readonly unknown[])[]
}

type Spoken = Pick<ClientFacts, 'protocol' | 'jsonVersion'>

/** Source: https://github.com/aws/aws-sdk-js-v3 packages-internal/core/src/submodules/protocols */
const PROTOCOLS: Readonly<Record<string, Spoken>> = {
  AwsEc2QueryProtocol: { protocol: 'ec2' },
  AwsJson1_0Protocol: { protocol: 'json', jsonVersion: '1.0' },
  AwsJson1_1Protocol: { protocol: 'json', jsonVersion: '1.1' },
  AwsQueryProtocol: { protocol: 'query' },
  AwsRestJsonProtocol: { protocol: 'rest-json' },
  AwsRestXmlProtocol: { protocol: 'rest-xml' },
  AwsSmithyRpcV2CborProtocol: { protocol: 'cbor', jsonVersion: '1.0' },
  S3RestXmlProtocol: { protocol: 'rest-xml' },
  SmithyRpcV2CborProtocol: { protocol: 'cbor', jsonVersion: '1.0' },
}

/** What the client says of its service. Throws where a fact is missing or there are two. */
export function clientFacts({ pin, files }: FetchedClient): ClientFacts {
  const file = (path: string): string => {
    const text = files.get(path)
    if (text === undefined) throw new Error(`client \`${pin.name}\` has no ${path}`)
    return text
  }
  const runtime = file('dist-es/runtimeConfig.shared.js')
  const only = (text: string, pattern: RegExp): string => {
    const found = new Set([...text.matchAll(pattern)].map((match) => match[1]))
    const [value, second] = found
    if (value !== undefined && second === undefined) return value
    throw new Error(`client \`${pin.name}\`: ${found.size} values for ${pattern.source}`)
  }
  const spoken = PROTOCOLS[only(runtime, /protocol: config\?\.protocol \?\? (\w+)/g)]
  if (spoken === undefined) throw new Error(`client \`${pin.name}\` speaks an unknown protocol`)
  const target =
    spoken.jsonVersion === undefined ? undefined : only(runtime, /serviceTarget: "([^"]+)"/g)
  const auth = file('dist-es/auth/httpAuthSchemeProvider.js')
  return {
    id: only(runtime, /serviceId: config\?\.serviceId \?\? "([^"]+)"/g),
    signingName: only(
      auth,
      /schemeId: "aws\.auth#sigv4",\s*signingProperties: \{\s*name: "([^"]+)"/g,
    ),
    ...spoken,
    version: only(runtime, /apiVersion: "([^"]+)"/g),
    ...(target === undefined ? {} : { targetPrefix: target }),
    operations: operationsOf(pin.name, schemaText(pin.name, files)),
  }
}

function schemaText(name: string, files: FetchedClient['files']): string {
  const paths = [...files.keys()].filter((path) => path.startsWith('dist-es/schemas/'))
  const text = paths.length === 1 ? files.get(paths[0] ?? '') : undefined
  if (text === undefined) throw new Error(`client \`${name}\` has ${paths.length} schema files`)
  return text
}

const EVALUATION_MS_MAX = 10_000

function operationsOf(name: string, text: string): ClientFacts['operations'] {
  // Imports are classes of errors and their registry; an empty class stands for each.
  const imported = [...text.matchAll(/^import \{([^}]*)\} from "[^"]*";$/gm)]
    .flatMap(([, list = '']) => list.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const stubs = imported.map(
    (each) => `class ${each} { static for() { return new this() } registerError() {} }`,
  )
  const plain = text
    .replace(/^import .*$/gm, '')
    .replace(/^export (?:var|const) (\S+) =/gm, 'var $1 = exported[exported.length] =')
  const exported: unknown[] = []
  vm.runInNewContext(`${stubs.join('\n')}\n${plain}`, { exported }, { timeout: EVALUATION_MS_MAX })
  const operations = exported.filter(isOperation)
  if (operations.length === 0) throw new Error(`client \`${name}\` has no operation`)
  return operations
}

function isOperation(schema: unknown): schema is readonly unknown[] {
  return Array.isArray(schema) && schema[0] === 9
}
