// Makes the signed requests that the load sends, as bytes: a read whose one signature is good for
// fifteen minutes, and writes that each have a body and a signature of their own.
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader } from '@seconder/aws/wire-request'
import type { AgentSession } from '@seconder/cli/opening'
import { DEVELOPMENT } from './start.ts'

/** Of the body of each request, about. */
const BODY_BYTES = 1_024
/** Different reads, and the tables they are of: so that nothing is remembered for one alone. */
const READS = 512
const TABLES = 64
const REGION = 'eu-west-1'

/** DynamoDB GetItems of one kilobyte, each of another item, over a few tables. */
export function signedReads(session: AgentSession, port: number): string[] {
  return Array.from({ length: READS }, (_, index) => {
    const key = { id: { S: `${index}`.padEnd(BODY_BYTES - 90, '.') } }
    const table = { TableName: `orders-${index % TABLES}`, Key: key, ConsistentRead: true }
    return signed(session, port, 'dynamodb', 'DynamoDB_20120810.GetItem', JSON.stringify(table))
  })
}

/** SQS SendMessage of one kilobyte each, no two alike: a write that needs no look-up first. */
export function signedWrites(session: AgentSession, port: number, count: number): string[] {
  const url = `https://sqs.${REGION}.amazonaws.com/${DEVELOPMENT}/jobs`
  return Array.from({ length: count }, () => {
    sent += 1
    const message = String(sent).padEnd(BODY_BYTES - 110, '.')
    const body = JSON.stringify({ QueueUrl: url, MessageBody: message })
    return signed(session, port, 'sqs', 'AmazonSQS.SendMessage', body)
  })
}

let sent = 0

function signed(
  session: AgentSession,
  port: number,
  service: string,
  target: string,
  body: string,
): string {
  const bytes = new TextEncoder().encode(body)
  const headers: WireHeader[] = [
    ['host', `127.0.0.1:${port}`],
    ['content-type', 'application/x-amz-json-1.0'],
    ['x-amz-target', target],
    ['user-agent', 'seconder-bench'],
  ]
  const request = { method: 'POST', target: '/', headers, body: bytes }
  const lines = sign(request, session, { region: REGION, service }, Date.now())
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${head}\r\n`), bytes]).toString('base64')
}
