// Makes a HostRow of a host name that a client asked for by itself: which row of the endpoint table
// it is, with the bucket or account in front. What is no row is no AWS host, however close it looks.

import { headerValues, type WireHead, type WireRequest } from '../wire-request.ts'
import { endpointFor } from './endpoint.ts'
import { ENDPOINT_TABLE, labelsOf } from './endpoint-table.ts'
import { EndpointError } from './errors.ts'

export interface HostRow {
  /** The whole name, lower case, without port. */
  readonly host: string
  /** Signing name, as the credential scope must have it. */
  readonly service: string
  /** What the scope may name: one region, or more where partitions share the host. */
  readonly regions: readonly string[]
  readonly endpointPrefix: string
  /** `streaming-` or `123456789012.`; empty where there is none. */
  readonly hostPrefix: string
  /** The bucket of a virtual-hosted S3 request. */
  readonly bucket?: string
}

type Row = Omit<HostRow, 'host'>

/** Longest host name. Source: RFC 1035 section 2.3.4. */
const HOST_CHARS_MAX = 253

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_CHARS_MIN = 3
const BUCKET_CHARS_MAX = 63

/**
 * Hosts of the aws partition from before regional endpoints; older SDKs use them by default.
 * Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#deprecated-global-endpoint
 */
const GLOBAL_HOSTS: readonly (readonly [string, Row])[] = [
  ['s3.amazonaws.com', globalRow('s3')],
  ['sts.amazonaws.com', globalRow('sts')],
]

let rowsByHost: ReadonlyMap<string, Row> | undefined

/**
 * The row that a host name stands for: a host of the table, `BUCKET.` before a host of S3, or
 * `ACCOUNT.` where the table has one; undefined for every other name, customers' hosts included.
 */
export function hostRow(host: string): HostRow | undefined {
  if (host.length > HOST_CHARS_MAX) return undefined
  rowsByHost ??= allRows()
  const row = rowsByHost.get(host) ?? accountRow(host, rowsByHost) ?? bucketRow(host, rowsByHost)
  return row && { host, ...row }
}

/** DNS suffixes that every host of the table ends with, without a leading dot. */
export function dnsSuffixes(): readonly string[] {
  const rows = Object.values(ENDPOINT_TABLE.partitions)
  return [...new Set(rows.flatMap((row) => [row.dnsSuffix, row.dualStackDnsSuffix]))]
}

/**
 * Passes a request whose signature names the row that its host names.
 * Errors: EndpointError `other_row` when scope or `x-amz-account-id` say something else.
 */
export function requireRow(
  row: HostRow,
  scope: { readonly service: string; readonly region: string },
  request: Pick<WireRequest, 'headers'>,
): void {
  if (scope.service !== row.service || !row.regions.includes(scope.region)) {
    throw new EndpointError(
      'other_row',
      'the host is not that of the service and region signed for',
    )
  }
  const account = /^\d{12}\.$/.test(row.hostPrefix) ? row.hostPrefix.slice(0, 12) : undefined
  const named = headerValues(request, 'x-amz-account-id')
  if (account !== undefined && named.some((value) => value !== account)) {
    throw new EndpointError('other_row', 'the account in the host is not the one in the header')
  }
}

/**
 * The request as it would be in path style: the bucket moves from the host into the target, byte
 * for byte. A request without a bucket in its host comes back as it is.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function pathStyle<Head extends WireHead>(
  request: Head,
  row: Pick<HostRow, 'host' | 'bucket'>,
): Head {
  // A target that is not in origin form stays as it is: whoever reads it next refuses it.
  if (row.bucket === undefined || !request.target.startsWith('/')) return request
  return onHost(
    { ...request, target: `/${row.bucket}${request.target}` },
    row.host.slice(row.bucket.length + 1),
  )
}

/** The request with another Host, in the place of its own. */
export function onHost<Head extends WireHead>(request: Head, host: string): Head {
  return {
    ...request,
    headers: request.headers.map(([name, value]) =>
      name.toLowerCase() === 'host' ? [name, host] : [name, value],
    ),
  }
}

/** `ACCOUNT.s3-control.REGION.amazonaws.com`: only where the table has that label. */
function accountRow(host: string, rows: ReadonlyMap<string, Row>): Row | undefined {
  const hostPrefix = /^\d{12}\./.exec(host)?.[0]
  const row = hostPrefix === undefined ? undefined : rows.get(host.slice(hostPrefix.length))
  const region = row?.regions[0]
  if (row === undefined || hostPrefix === undefined || region === undefined) return undefined
  const { service, endpointPrefix } = row
  const labelled = endpointFor(service, region, { endpointPrefix, hostPrefix })
  return labelled?.host === host ? { ...row, hostPrefix } : undefined
}

function bucketRow(host: string, rows: ReadonlyMap<string, Row>): Row | undefined {
  // From the right: a bucket name may hold `.s3.` too.
  const at = host.lastIndexOf('.s3.')
  const row = at < 0 ? undefined : rows.get(host.slice(at + 1))
  const bucket = host.slice(0, Math.max(at, 0))
  if (row?.service !== 's3' || row.endpointPrefix !== 's3' || !isBucketName(bucket))
    return undefined
  return { ...row, bucket }
}

/** The part of the naming rules that decides what may be a DNS name. */
export function isBucketName(name: string): boolean {
  return (
    name.length >= BUCKET_CHARS_MIN &&
    name.length <= BUCKET_CHARS_MAX &&
    name.split('.').every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))
  )
}

function globalRow(service: string): Row {
  return { service, regions: ['us-east-1'], endpointPrefix: service, hostPrefix: '' }
}

function allRows(): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>(GLOBAL_HOSTS)
  for (const [service, { endpoints }] of Object.entries(ENDPOINT_TABLE.services)) {
    for (const [endpointPrefix, row] of Object.entries(endpoints)) {
      const labels = ['', ...labelsOf(row).filter((label) => !label.includes('{'))]
      for (const hostPrefix of labels) addRows(rows, { service, endpointPrefix, hostPrefix })
    }
  }
  return rows
}

function addRows(
  rows: Map<string, Row>,
  choice: { service: string; endpointPrefix: string; hostPrefix: string },
): void {
  for (const { regions } of Object.values(ENDPOINT_TABLE.partitions)) {
    for (const region of regions) {
      const endpoint = endpointFor(choice.service, region, choice)
      if (endpoint === undefined) continue
      const known = rows.get(endpoint.host)?.regions ?? []
      const signed = new Set([...known, endpoint.signingRegion])
      rows.set(endpoint.host, { ...choice, regions: [...signed] })
    }
  }
}
