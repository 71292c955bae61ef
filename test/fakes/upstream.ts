// An AWS that tests script: it verifies the gate's own SigV4 signature with the real key, remembers
// what it was sent, and answers what the test says. It speaks plain HTTP/1.1 as AWS does.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { SigV4Error } from '@seconder/aws/sigv4/errors'
import { verify } from '@seconder/aws/sigv4/verify'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'

export const REAL_KEY = {
  accessKeyId: 'AKIAREALREALREALREAL',
  secretAccessKey: 'real/secret+never+leaves/the+gate',
}

export interface Seen {
  readonly operation: string
  readonly request: WireRequest
}

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Record<string, string>
  /** Pieces are sent one by one, as they come. */
  readonly body: string | AsyncIterable<Uint8Array>
}

/** What to answer; `silence` closes the connection without a word. */
export type Script = (seen: Seen) => FakeAnswer | 'silence' | Promise<FakeAnswer | 'silence'>

export interface FakeUpstream {
  readonly url: string
  /** Everything that arrived and verified, in order. */
  readonly seen: Seen[]
  script: Script
  close(): Promise<void>
}

export async function startFakeUpstream(nowMs: () => number = Date.now): Promise<FakeUpstream> {
  const seen: Seen[] = []
  const upstream = { script: defaultScript as Script }
  const server = http.createServer((incoming, outgoing) => {
    void (async () => {
      const request = await whole(incoming)
      try {
        const key =
          ({ accessKeyId, secretAccessKey }: typeof REAL_KEY) =>
          (id: string) =>
            id === accessKeyId ? secretAccessKey : undefined
        verify(request, key(REAL_KEY), nowMs())
      } catch (cause) {
        const code = cause instanceof SigV4Error ? cause.code : 'unknown'
        outgoing
          .writeHead(403)
          .end(JSON.stringify({ __type: 'InvalidSignatureException', message: code }))
        return
      }
      const one = { operation: operationOf(request), request }
      seen.push(one)
      const answer = await upstream.script(one)
      if (answer === 'silence') outgoing.destroy()
      else {
        outgoing.writeHead(answer.status, {
          'content-type': 'application/x-amz-json-1.0',
          'x-amzn-requestid': 'UP-1',
          ...answer.headers,
        })
        if (typeof answer.body === 'string') outgoing.end(answer.body)
        else Readable.from(answer.body).pipe(outgoing)
      }
    })()
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    get script() {
      return upstream.script
    },
    set script(script: Script) {
      upstream.script = script
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function whole(incoming: http.IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const headers: WireHeader[] = []
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.push([incoming.rawHeaders[index] as string, incoming.rawHeaders[index + 1] as string])
  }
  return {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers,
    body: new Uint8Array(Buffer.concat(chunks)),
  }
}

function operationOf({ headers, target, method, body }: WireRequest): string {
  const named = headers.find(([name]) => name.toLowerCase() === 'x-amz-target')?.[1].split('.')[1]
  return (
    named ??
    new URLSearchParams(Buffer.from(body).toString()).get('Action') ??
    `${method} ${target}`
  )
}

/** DynamoDB as its API reference shows its answers, for one table `orders`. */
export const defaultScript: Script = ({ operation }) => {
  switch (operation) {
    case 'ListTables':
      return ok({ TableNames: ['orders'] })
    case 'DescribeTable':
      return ok({
        Table: {
          TableName: 'orders',
          TableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
          TableId: '12345678-0123-4567-a123-abcdefghijkl',
          TableStatus: 'ACTIVE',
          CreationDateTime: 1363729002,
          ItemCount: 1204,
          TableSizeBytes: 2_100_000,
          DeletionProtectionEnabled: false,
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        },
      })
    case 'DescribeContinuousBackups':
      return ok({
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
        },
      })
    case 'ListBackups':
      return ok({ BackupSummaries: [] })
    case 'DeleteTable':
      return ok({ TableDescription: { TableName: 'orders', TableStatus: 'DELETING' } })
    case 'GetItem':
      return ok({ Item: { id: { S: 'a' }, total: { N: '1' } } })
    default:
      return ok({})
  }
}

function ok(body: unknown): FakeAnswer {
  return { status: 200, body: JSON.stringify(body) }
}
