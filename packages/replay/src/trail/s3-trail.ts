// A trail in S3, by the AWS SDK and the credentials of whoever runs it: what is there is listed, and each
// object goes to a file of its own for as long as it is read. The SDK is loaded only where an address says so.

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { ReplayError } from '../errors.ts'
import { FILES_MAX, type TrailFile } from './trail-files.ts'
import { isLeftOut, isTrailName } from './trail-names.ts'

const ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})(?:\/(.*))?$/

export function isS3(path: string): boolean {
  return path.startsWith('s3://')
}

/** What is under `s3://BUCKET/PREFIX`, in the order of its names. Errors: `s3`. */
export async function listS3(address: string): Promise<{ files: TrailFile[]; leftOut: number }> {
  const { bucket, key: prefix } = placeOf(address)
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  const s3 = await client()
  const files: TrailFile[] = []
  let leftOut = 0
  let token: string | undefined
  try {
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      )
      for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? []) {
        if (isLeftOut(Key)) leftOut++
        else if (isTrailName(Key) || Key === prefix) {
          files.push({ path: `s3://${bucket}/${Key}`, bytes: Size, version: ETag })
        }
      }
      if (files.length > FILES_MAX) throw new ReplayError('s3', 'too many objects')
      token = page.NextContinuationToken
    } while (token !== undefined)
  } catch (cause) {
    throw cause instanceof ReplayError ? cause : failed(address, cause)
  }
  return { files, leftOut }
}

/** Runs `read` with the object as a file, which is removed afterwards. Errors: `s3`. */
export async function withObject<T>(
  address: string,
  read: (path: string) => Promise<T>,
): Promise<T> {
  const { bucket, key } = placeOf(address)
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  const s3 = await client()
  const folder = mkdtempSync(join(tmpdir(), 'seconder-s3-'))
  try {
    const path = join(folder, 'object')
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      await pipeline(Body as Readable, createWriteStream(path, { mode: 0o600 }))
    } catch (cause) {
      throw failed(address, cause)
    }
    return await read(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let made: S3Client | undefined

async function client(): Promise<S3Client> {
  if (made !== undefined) return made
  const { S3Client: Client } = await import('@aws-sdk/client-s3')
  // An emulator answers at its own address, where a bucket is no part of the host.
  const forcePathStyle = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']
  made = new Client({ followRegionRedirects: true, forcePathStyle: forcePathStyle !== undefined })
  return made
}

function placeOf(address: string): { bucket: string; key: string } {
  const [, bucket, key = ''] = ADDRESS.exec(address) ?? []
  if (bucket === undefined) throw new ReplayError('s3', 'write s3://BUCKET/PREFIX')
  return { bucket, key }
}

/** The SDK's own name of the error, and nothing of what it carries. */
function failed(address: string, cause: unknown): ReplayError {
  const name = cause instanceof Error ? cause.name : 'unknown'
  return new ReplayError('s3', `\`${address}\` cannot be read: ${name}`, { cause })
}
