// Reads what a client put before the gate's own name: a bucket, an account, or the label that an SDK
// puts before the host of some operations. The signature says for which service; what is no row of the
// endpoint table, or could be read in two ways, is refused in words.

import { headerValues, type WireRequest } from '../wire-request.ts'
import { ENDPOINT_TABLE, type EndpointRow, labelsOf } from './endpoint-table.ts'
import { EndpointError } from './errors.ts'
import { isBucketName } from './host-row.ts'

export interface HostLabel {
  /** The bucket of a virtual-hosted S3 request. */
  readonly bucket?: string
  /** `sync-` or `123456789012.`; empty where there is none. */
  readonly hostPrefix: string
}

/** Paths of the S3 Control API. Source: Amazon S3 API Reference, S3 Control operations (`/v20180820/`). */
const CONTROL_PATH = '/v20180820/'
const ACCOUNT_LABEL = /^[0-9]{12}\.$/

/**
 * What `label` is in a request signed for `service`: everything before the gate's own name, with its
 * last dot or hyphen.
 * Errors: EndpointError `other_row` where no row of the table has it, or it could be two things.
 */
export function hostLabel(
  label: string,
  service: string,
  request: Pick<WireRequest, 'headers' | 'target'>,
): HostLabel {
  if (label === '') return { hostPrefix: '' }
  if (service === 's3') return s3Label(label, request)
  const rows = Object.hasOwn(ENDPOINT_TABLE.services, service)
    ? Object.values(ENDPOINT_TABLE.services[service]?.endpoints ?? {})
    : []
  if (rows.some((row) => labelsOf(row).includes(label) && !label.includes('{'))) {
    return { hostPrefix: label }
  }
  throw new EndpointError('other_row', 'no host of the service signed for has such a label')
}

/**
 * `BUCKET.` or `ACCOUNT.`. A bucket may be named like an account: then only the header of S3 Control,
 * which S3 itself does not know, makes it one, and a bucket of such a name is named in the path.
 */
function s3Label(label: string, request: Pick<WireRequest, 'headers' | 'target'>): HostLabel {
  const accounts = headerValues(request, 'x-amz-account-id')
  if (ACCOUNT_LABEL.test(label)) {
    const isNamed = accounts.length === 1 && `${accounts[0]}.` === label
    if (isNamed && request.target.startsWith(CONTROL_PATH)) return { hostPrefix: label }
    throw new EndpointError(
      'other_row',
      'twelve digits before the host are an account; name a bucket of such a name in the path',
    )
  }
  if (label.endsWith('.') && isBucketName(label.slice(0, -1)) && accounts.length === 0) {
    return { bucket: label.slice(0, -1), hostPrefix: '' }
  }
  throw new EndpointError('other_row', 'what stands before the host is no bucket and no account')
}

/**
 * The label that an operation is called under: the one that the client named, if the operation's model
 * has it, else the one that the model has, since the gate's own address left no room for it.
 * Errors: EndpointError `other_row` where the model of the operation has another label or none.
 */
export function labelOfOperation(
  named: string,
  operation: {
    readonly service: string
    readonly endpointPrefix: string | null
    readonly name: string
  },
  request: Pick<WireRequest, 'headers'>,
): string {
  const labels = labelsOfOperation(operation)
  const isAccount = ACCOUNT_LABEL.test(named)
  if (named !== '') {
    if (labels.includes(isAccount ? '{AccountId}.' : named)) return named
    throw new EndpointError('other_row', 'the operation is not one of the host that it was sent to')
  }
  const [first] = labels
  if (first === undefined || !first.includes('{')) return first ?? ''
  const [account, ...more] = headerValues(request, 'x-amz-account-id')
  const isOne = first === '{AccountId}.' && more.length === 0
  return isOne && /^[0-9]{12}$/.test(account ?? '') ? `${account}.` : ''
}

function labelsOfOperation(operation: {
  readonly service: string
  readonly endpointPrefix: string | null
  readonly name: string
}): string[] {
  const { service, endpointPrefix, name } = operation
  const found = Object.hasOwn(ENDPOINT_TABLE.services, service)
    ? ENDPOINT_TABLE.services[service]
    : undefined
  const prefix = endpointPrefix ?? found?.defaultPrefix ?? ''
  const endpoints: Readonly<Record<string, EndpointRow>> = found?.endpoints ?? {}
  const row = Object.hasOwn(endpoints, prefix) ? endpoints[prefix] : undefined
  const labels = Object.entries(row?.labels ?? {})
  return labels.filter(([, operations]) => operations.includes(name)).map(([label]) => label)
}
