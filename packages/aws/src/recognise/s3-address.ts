// Finds the bucket of an S3 request: in the host (virtual-hosted style) or in the path. It reads the
// host only to tell the two apart; a host it does not know is read path style, as AWS would when the
// gate forwards the target to the region's own endpoint.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

import { CallError } from '../call-errors.ts'
import type { Wire } from './wire.ts'

export interface S3Address {
  /** Absent at the service root. */
  readonly bucket?: string
  /** Everything behind the bucket, decoded, without the leading slash; absent at bucket level. */
  readonly key?: string
}

const AWS_HOST =
  /^(?:(?<bucket>.+)\.)?s3(?:-accesspoint|-control|-object-lambda|-outposts|-website)?(?:[.-](?:dualstack\.|fips\.)*[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/

/** The bucket and key that the request names. `malformed_target` where the bucket holds a slash. */
export function s3AddressOf(wire: Wire): S3Address {
  const fromHost = bucketOfHost(wire.headers.get('host') ?? '')
  const pieces = wire.pieces
  const [first = ''] = pieces
  if (fromHost === undefined && first.includes('/')) {
    throw new CallError('malformed_target', 'the bucket name holds a slash')
  }
  const bucket = fromHost ?? first
  const key = (fromHost === undefined ? pieces.slice(1) : pieces).join('/')
  if (bucket === '' && key !== '') throw new CallError('malformed_target', 'empty bucket name')
  return {
    ...(bucket === '' ? {} : { bucket }),
    ...(key === '' ? {} : { key }),
  }
}

function bucketOfHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '')
  const local = /^(?<bucket>.+)\.localhost$/.exec(name)
  if (local !== null) return local.groups?.['bucket']
  const match = AWS_HOST.exec(name)
  return match?.groups?.['bucket']
}
