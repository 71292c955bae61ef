// Finds the bucket of an S3 request: in the host (virtual-hosted style) or in the path. It reads
// the host only to tell the two apart; a host it does not know is read path style, as AWS would
// when the gate forwards the target to the region's own endpoint.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

import { CallError } from '../call-errors.ts'
import type { Wire } from './wire.ts'

export interface S3Address {
  /** Absent at the service root. */
  readonly bucket?: string
  /** Everything behind the bucket, decoded, without the leading slash; absent at bucket level. */
  readonly key?: string
}

/** Which of the two APIs that sign as `s3` a host belongs to; `either` where it is none of AWS. */
export type S3Api = 'object' | 'control' | 'either'

interface S3Host {
  readonly api: S3Api
  readonly bucket?: string
}

/** The bucket and key that the request names. `malformed_target` where the bucket is escaped. */
export function s3AddressOf(wire: Wire): S3Address {
  const fromHost = readHost(wire).bucket
  const pieces = wire.pieces
  const [first = ''] = pieces
  // No bucket's name needs an escape; one that has some is another name to a reader that decodes later.
  // Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  if (fromHost === undefined && /^\/[^/]*%/.test(wire.rawPath)) {
    throw new CallError('malformed_target', 'the bucket name holds an escape')
  }
  const bucket = fromHost ?? first
  const key = (fromHost === undefined ? pieces.slice(1) : pieces).join('/')
  if (bucket === '' && key !== '') throw new CallError('malformed_target', 'empty bucket name')
  return {
    ...(bucket === '' ? {} : { bucket }),
    ...(key === '' ? {} : { key }),
  }
}

/** Which API the host of the request speaks. */
export function s3ApiOf(wire: Wire): S3Api {
  return readHost(wire).api
}

/**
 * `BUCKET.s3.REGION.amazonaws.com` and its like. An access point's host names no bucket, so what
 * stands there is kept apart from bucket names by a colon, which those cannot have.
 */
function readHost(wire: Wire): S3Host {
  const name = (wire.headers.get('host') ?? '').toLowerCase().replace(/:\d+$/, '')
  if (name.endsWith('.localhost')) return { api: 'either', bucket: name.slice(0, -10) }
  const suffix = SUFFIXES.find((each) => name.endsWith(each))
  if (suffix === undefined) return { api: 'either' }
  const labels = name.slice(0, -suffix.length).split('.')
  // From the right: a bucket name may have dots and a label `s3` of its own.
  const at = labels.findLastIndex((label) => label === 's3' || label.startsWith('s3-'))
  if (at < 0) return { api: 'either' }
  const label = labels[at] ?? ''
  if (label === 's3-control') return { api: 'control' }
  if (at === 0) return { api: 'object' }
  const before = labels.slice(0, at).join('.')
  const isBucket = label === 's3' || /^s3-(?:[a-z]+-)+\d+$/.test(label)
  return { api: 'object', bucket: isBucket ? before : `${label}:${before}` }
}

const SUFFIXES: readonly string[] = ['.amazonaws.com', '.amazonaws.com.cn']
