// S3 through the gate with the real SDK: bodies as its defaults send them, read back byte for byte.

import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { STORY_REGION, startCloud } from '@seconder/lab/cloud/cloud'
import { createCostExplorerEnvironment } from '@seconder/lab/cloud/environment'
import { expect, test } from 'vitest'
import { Harness, requestIdIn } from './harness.ts'

test('a streamed upload is held whole, reviewed by its hash, and arrives as it was sent', async () => {
  const cloud = await startCloud({ stepMs: 1 })
  await createCostExplorerEnvironment(cloud)
  const gate = await Harness.start({
    upstream: cloud.endpoint,
    credentials: cloud.credentials.deploy,
  })
  const { endpoint, accessKeyId, secretAccessKey } = await gate.open('alice')
  const s3 = new S3Client({
    endpoint,
    region: STORY_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  const bytes = Buffer.alloc(100_000, 'seconder ')
  const put = (body: Buffer) =>
    s3.send(
      new PutObjectCommand({
        Bucket: 'cost-explorer-data',
        Key: 'notes.txt',
        Body: Readable.from([body.subarray(0, 70_000), body.subarray(70_000)]),
        ContentLength: body.length,
      }),
    )
  const held = await put(bytes).catch((error: Error) => error)
  await gate.review('bob', requestIdIn(held))
  const other = await put(Buffer.alloc(100_000, 'different')).catch((error: Error) => error)
  expect(requestIdIn(other)).not.toBe(requestIdIn(held))
  expect((await put(bytes)).$metadata.httpStatusCode).toBe(200)
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: 'cost-explorer-data', Key: 'notes.txt' }),
  )
  expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(bytes)
  s3.destroy()
  await gate.stop()
  await cloud.close()
})
