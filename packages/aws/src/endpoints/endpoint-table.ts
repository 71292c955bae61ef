// The shape of data/endpoints.json, and the table itself, read once. See
// build/compile-endpoints.ts, which `npm run index` runs.

import { readFileSync } from 'node:fs'

export interface PartitionRow {
  readonly dnsSuffix: string
  readonly dualStackDnsSuffix: string
  readonly regions: readonly string[]
}

export interface EndpointRow {
  /** Host with `{region}`, `{dnsSuffix}` and `{dualStackDnsSuffix}` to fill in. */
  readonly host: string
  /** By partition, instead of `host`. */
  readonly partitionHosts?: Readonly<Record<string, string>>
  /** By region, instead of both. */
  readonly regionHosts?: Readonly<Record<string, string>>
  /** By partition: the one region that this service lives and is signed in. */
  readonly pinnedRegions?: Readonly<Record<string, string>>
  /** Labels that some operations put before the host, `streaming-` or `{AccountId}.`, and which do. */
  readonly labels?: Readonly<Record<string, readonly string[]>>
}

export interface ServiceRow {
  /** Null where no endpoint is the natural one: the caller must name it. */
  readonly defaultPrefix: string | null
  readonly endpoints: Readonly<Record<string, EndpointRow>>
}

export interface EndpointTable {
  readonly partitions: Readonly<Record<string, PartitionRow>>
  /** By signing name, as the credential scope has it. */
  readonly services: Readonly<Record<string, ServiceRow>>
}

/** The compiled table. A broken or absent file ends the start: there is no gate without it. */
export const ENDPOINT_TABLE = JSON.parse(
  readFileSync(new URL('../../data/endpoints.json', import.meta.url), 'utf8'),
) as EndpointTable

/** The labels of a row, as the models write them. */
export function labelsOf(row: EndpointRow): readonly string[] {
  return Object.keys(row.labels ?? {})
}
