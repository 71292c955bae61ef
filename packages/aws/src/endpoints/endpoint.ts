// Where a verified request may go. The scope of a signature is a claim: only a service and a region
// that are rows of the compiled table have a host, and no other text ever becomes one (redteam C5).

import { customerHostedReason } from './customer-hosted.ts'
import { ENDPOINT_TABLE, type EndpointRow, labelsOf } from './endpoint-table.ts'
import { EndpointError } from './errors.ts'

export interface Endpoint {
  /** Lower case, without scheme or port. S3: for path style. */
  readonly host: string
  /** `aws`, `aws-cn`, `aws-us-gov`, ... */
  readonly partition: string
  /** What the upstream request must be signed for: `us-east-1` for IAM, whatever the scope said. */
  readonly signingRegion: string
  readonly dnsSuffix: string
}

/** What the operation asks for beyond its signing name, from its API model. */
export interface EndpointChoice {
  /** `streams.dynamodb` instead of `dynamodb`. */
  readonly endpointPrefix?: string
  /** `streaming-`, or `123456789012.` where the table has `{AccountId}.`. */
  readonly hostPrefix?: string
}

const PARTITION_OF_REGION: ReadonlyMap<string, string> = new Map(
  Object.entries(ENDPOINT_TABLE.partitions).flatMap(([partition, row]) =>
    row.regions.map((region): [string, string] => [region, partition]),
  ),
)

/** The partition of a region, such as `aws-cn`; undefined for what is no region of the table. */
export function partitionOf(region: string): string | undefined {
  return PARTITION_OF_REGION.get(region)
}

/**
 * The upstream endpoint of a signing name in a region; undefined for anything that is not a row of
 * the table, whose host belongs to a customer (`customerHostedReason`), or that needs a choice that
 * is absent or not in the table.
 * Source: data/endpoints.json and the packages named in build/compile-endpoints.ts
 */
export function endpointFor(
  signingService: string,
  region: string,
  choice: EndpointChoice = {},
): Endpoint | undefined {
  const { endpointPrefix, hostPrefix = '' } = choice
  // No name of the table has a line break, so a key that is known has three, and no other text has it.
  const prefix = endpointPrefix === undefined ? 'main' : `=${endpointPrefix}`
  const key = `${signingService}\n${region}\n${prefix}\n${hostPrefix}`
  const known = recent.get(key)
  if (known !== undefined) return known
  const endpoint = endpointOf(signingService, region, choice)
  if (endpoint === undefined) return undefined
  if (recent.size >= RECENT_MAX) recent.clear()
  recent.set(key, endpoint)
  return endpoint
}

/** Endpoints remembered; what is no row of the table never is. */
const RECENT_MAX = 1_024
const recent = new Map<string, Endpoint>()

function endpointOf(
  signingService: string,
  region: string,
  choice: EndpointChoice,
): Endpoint | undefined {
  if (customerHostedReason(signingService) !== undefined) return undefined
  const partition = PARTITION_OF_REGION.get(region)
  const service = ownValue(ENDPOINT_TABLE.services, signingService)
  if (partition === undefined || service === undefined) return undefined
  const prefix = choice.endpointPrefix ?? service.defaultPrefix
  const row = prefix === null ? undefined : ownValue(service.endpoints, prefix)
  if (row === undefined) return undefined
  const label = hostLabel(row, choice.hostPrefix)
  return label === undefined ? undefined : filledEndpoint(row, partition, region, label)
}

function filledEndpoint(
  row: EndpointRow,
  partition: string,
  region: string,
  label: string,
): Endpoint | undefined {
  const suffixes = ownValue(ENDPOINT_TABLE.partitions, partition)
  if (suffixes === undefined) return undefined
  const signingRegion = ownValue(row.pinnedRegions, partition) ?? region
  const template =
    ownValue(row.regionHosts, signingRegion) ?? ownValue(row.partitionHosts, partition) ?? row.host
  const host = template
    .replace('{region}', signingRegion)
    .replace('{dnsSuffix}', suffixes.dnsSuffix)
    .replace('{dualStackDnsSuffix}', suffixes.dualStackDnsSuffix)
  return { host: `${label}${host}`, partition, signingRegion, dnsSuffix: suffixes.dnsSuffix }
}

function hostLabel(row: EndpointRow, hostPrefix: string | undefined): string | undefined {
  if (hostPrefix === undefined || hostPrefix === '') return ''
  const listed = labelsOf(row)
  if (listed.includes(hostPrefix) && !hostPrefix.includes('{')) return hostPrefix
  const isAccount = listed.includes('{AccountId}.') && /^[0-9]{12}\.$/.test(hostPrefix)
  return isAccount ? hostPrefix : undefined
}

// Scopes come from callers: `constructor` and `__proto__` are names of no row.
function ownValue<T>(rows: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return rows !== undefined && Object.hasOwn(rows, name) ? rows[name] : undefined
}

let hostsOfTable: ReadonlySet<string> | undefined

/**
 * Passes a host of the table and throws EndpointError `host_not_in_table` for any other. To be
 * asked once more right before bytes leave, whoever built the address. An account label is allowed
 * where the table has one.
 */
export function assertHostInTable(host: string): void {
  hostsOfTable ??= allHosts()
  const bare = /^[0-9]{12}\.s3-control\./.test(host) ? host.slice(13) : host
  if (hostsOfTable.has(bare)) return
  throw new EndpointError('host_not_in_table', 'the upstream host is not in the endpoint table')
}

function allHosts(): ReadonlySet<string> {
  const hosts = new Set<string>()
  for (const [name, service] of Object.entries(ENDPOINT_TABLE.services)) {
    for (const [endpointPrefix, row] of Object.entries(service.endpoints)) {
      const labels = ['', ...labelsOf(row).filter((label) => !label.includes('{'))]
      for (const region of PARTITION_OF_REGION.keys()) {
        for (const hostPrefix of labels) {
          const endpoint = endpointFor(name, region, { endpointPrefix, hostPrefix })
          if (endpoint !== undefined) hosts.add(endpoint.host)
        }
      }
    }
  }
  return hosts
}
