// The Cost Explorer service of the story: packages/costs, reading billing exports from the bucket
// and settings from the table with real SDK clients. What it cannot read it never answers around.
import type { AddressInfo } from 'node:net'
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { Adjustment, Adjustments } from '@seconder/costs/adjustments'
import { createCostServer } from '@seconder/costs/server'
import { type CostStore, openCostStore } from '@seconder/costs/store'
import { EXPORT_BUCKET, SETTINGS_TABLE } from './cost-explorer-template.ts'
import { LabError } from './errors.ts'
import type { Credentials } from './principal.ts'
import { type ClientOptions, type SdkClients, sdkClients } from './sdk-clients.ts'

export const EXPORT_PREFIX = 'exports/'
/** Months of export the service takes; the story has 13. */
export const EXPORTS_MAX = 120
const FAILURES_MAX = 1000

export interface CostServiceOptions extends ClientOptions {
  /** Keys that customers sign their questions with. */
  readonly customer?: Credentials
  readonly now?: () => number
}

export interface CostService {
  /** `http://127.0.0.1:<port>`: what a customer's SDK is pointed at. */
  readonly endpoint: string
  readonly customer: Credentials
  /** Why questions failed, oldest first; customers saw only InternalFailure. */
  readonly failures: readonly unknown[]
  close(): Promise<void>
}

/** Keys of customers of the lab's Cost Explorer; they open nothing in the lab's cloud. */
const CUSTOMER: Credentials = {
  accessKeyId: 'AKIACOSTEXPLORERUSER',
  secretAccessKey: 'the-key-of-a-customer-of-the-lab',
}

/** Object key of a month's export: `exports/2026-08.csv`. */
export function exportKey(month: string): string {
  return `${EXPORT_PREFIX}${month}.csv`
}

/** Starts the service on an ephemeral port, once it has read bucket and table or failed to. */
export async function startCostExplorerService(options: CostServiceOptions): Promise<CostService> {
  const customer = options.customer ?? CUSTOMER
  const clients = sdkClients(options)
  const store = await openCostStore()
  const source = new CostSource(clients, store)
  const failures: unknown[] = []
  const report = (error: unknown) => {
    if (failures.length < FAILURES_MAX) failures.push(error)
  }
  await source.refresh().catch(report)
  const server = createCostServer({
    store,
    credentials: (id) => (id === customer.accessKeyId ? customer.secretAccessKey : undefined),
    now: options.now ?? Date.now,
    adjustments: () => source.refresh(),
    report,
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    customer,
    failures,
    close: async () => {
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      })
      await source.settle()
      await store.close()
      clients.destroy()
    },
  }
}

/** Bucket and table as the store last saw them. A question that comes during a refresh joins it. */
class CostSource {
  readonly #clients: SdkClients
  readonly #store: CostStore
  /** ETag by object key. */
  readonly #ingested = new Map<string, string>()
  #running: Promise<Adjustments> | undefined

  constructor(clients: SdkClients, store: CostStore) {
    this.#clients = clients
    this.#store = store
  }

  /**
   * The settings, once the store holds what the bucket holds. Rejects where either cannot be read.
   */
  refresh(): Promise<Adjustments> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async settle(): Promise<void> {
    await Promise.allSettled([this.#running])
  }

  async #refresh(): Promise<Adjustments> {
    const etags = await this.#list()
    for (const [key, etag] of etags) {
      if (this.#ingested.get(key) === etag) continue
      await this.#store.ingestFocusCsv({ name: key, bytes: await this.#download(key) })
      this.#ingested.set(key, etag)
    }
    for (const key of this.#ingested.keys()) {
      if (etags.has(key)) continue
      await this.#store.removeExport(key)
      this.#ingested.delete(key)
    }
    const settings = await this.#settings()
    for (const key of etags.keys()) {
      const month = key.slice(EXPORT_PREFIX.length, -'.csv'.length)
      if (!settings.has(month)) {
        const help = 'put the settings back: without them the costs of the month are wrong'
        throw new LabError('export_missing', `no settings for \`${month}\``, help)
      }
    }
    return settings
  }

  async #list(): Promise<ReadonlyMap<string, string>> {
    const listed = await this.#clients.s3.send(
      new ListObjectsV2Command({ Bucket: EXPORT_BUCKET, Prefix: EXPORT_PREFIX }),
    )
    const contents = listed.Contents ?? []
    if (listed.IsTruncated === true || contents.length > EXPORTS_MAX) {
      throw new LabError('limit_exceeded', 'the bucket has too many exports', 'remove some')
    }
    if (contents.length === 0) {
      const help = 'put the billing exports back into the bucket'
      throw new LabError('export_missing', 'the bucket holds no export', help)
    }
    return new Map(contents.map((object) => [object.Key ?? '', object.ETag ?? '']))
  }

  async #download(key: string): Promise<Uint8Array> {
    const input = { Bucket: EXPORT_BUCKET, Key: key }
    const { Body: body } = await this.#clients.s3.send(new GetObjectCommand(input))
    if (body === undefined) throw new LabError('export_missing', 'an export has no content', '')
    return body.transformToByteArray()
  }

  async #settings(): Promise<ReadonlyMap<string, Adjustment>> {
    const scan = new ScanCommand({ TableName: SETTINGS_TABLE })
    const { Items: items = [] } = await this.#clients.dynamoDb.send(scan)
    return new Map(items.map((item) => [text(item['month']), { factor: text(item['factor']) }]))
  }
}

function text(value: AttributeValue | undefined): string {
  if (value?.S !== undefined) return value.S
  throw new LabError('export_missing', 'a setting is not a text', 'write `month` and `factor` as S')
}
