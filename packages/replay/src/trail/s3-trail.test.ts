// A trail in S3 through the real SDK, against a server that answers ListObjectsV2 in pages and GetObject.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTrail } from '../replay.ts'

const event = (tail: number) => ({
  eventTime: '2025-12-15T09:00:00Z',
  eventID: `00000000-0000-4000-8000-00000000000${tail}`,
  eventType: 'AwsApiCall',
  eventSource: 'dynamodb.amazonaws.com',
  eventName: 'DeleteTable',
  awsRegion: 'eu-west-1',
  recipientAccountId: '111122223333',
  requestParameters: { tableName: 'orders' },
  userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/ann' },
})
const OBJECTS: Readonly<Record<string, Buffer>> = {
  'AWSLogs/1/CloudTrail/a.json.gz': gzipSync(JSON.stringify({ Records: [event(1)] })),
  'AWSLogs/1/CloudTrail/b.json.gz': gzipSync(JSON.stringify({ Records: [event(1), event(2)] })),
  'AWSLogs/1/CloudTrail-Digest/c.json.gz': gzipSync('{}'),
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost')
  if (url.searchParams.get('list-type') === '2') {
    const from = Number(url.searchParams.get('continuation-token') ?? 0)
    const keys = Object.keys(OBJECTS)
    const key = keys[from] ?? ''
    const more = from + 1 < keys.length
    response.setHeader('content-type', 'application/xml')
    response.end(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated><Contents><Key>${key}</Key><Size>${OBJECTS[key]?.length}</Size><ETag>"e${from}"</ETag></Contents>${more ? `<NextContinuationToken>${from + 1}</NextContinuationToken>` : ''}</ListBucketResult>`,
    )
    return
  }
  const body = OBJECTS[decodeURIComponent(url.pathname.replace('/trail-bucket/', ''))]
  if (body === undefined || (url.pathname.endsWith('b.json.gz') && failing)) response.writeHead(403)
  response.end(body)
})
let failing = false
const before = { ...process.env }

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'a-key-of-nobody',
  })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

test('objects are listed page by page, read in workers, copies dropped, digests left out', async () => {
  const { store, close } = await openTrail(['s3://trail-bucket/AWSLogs/'], { workers: 1 })
  close()
  expect(store.facts).toMatchObject({ files: 2, events: 3, unique: 2, leftOut: 1, faults: [] })
})

test('an object that cannot be read is named; an address that is none is refused', async () => {
  failing = true
  const { store, close } = await openTrail(['s3://trail-bucket/AWSLogs/'], { workers: 1 })
  close()
  failing = false
  expect(store.facts.faults).toEqual([
    {
      path: 's3://trail-bucket/AWSLogs/1/CloudTrail/b.json.gz',
      fault: 'unreadable',
      events: 0,
      brokenLines: 0,
    },
  ])
  await expect(openTrail(['s3://'])).rejects.toMatchObject({ code: 's3' })
})
