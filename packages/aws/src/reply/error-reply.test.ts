import { decode } from 'cborg'
import { expect, test } from 'vitest'
import type { Protocol } from '../call.ts'
import { ERROR_WORDS, FAMILY_OF_PROTOCOL, type ReplyCode } from './error-codes.ts'
import { errorReply, MESSAGE_CHARACTERS_MAX } from './error-reply.ts'

const DENIED = {
  code: 'AccessDenied',
  message: 'needs a second person: see https://gate.example/r/7',
  requestId: 'req-7',
} as const

function text(body: Uint8Array): string {
  return new TextDecoder().decode(body)
}

// Source: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
test('awsJson names the error in a header and in __type', () => {
  const reply = errorReply({ ...DENIED, protocol: 'awsJson1_0' })
  expect(reply.status).toBe(400)
  expect(reply.headers).toContainEqual(['content-type', 'application/x-amz-json-1.0'])
  expect(reply.headers).toContainEqual(['x-amzn-errortype', 'AccessDeniedException'])
  expect(JSON.parse(text(reply.body))).toEqual({
    __type: 'AccessDeniedException',
    message: DENIED.message,
  })
})

// Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
test('awsQuery is an ErrorResponse with a namespace on its root', () => {
  const reply = errorReply({ ...DENIED, protocol: 'awsQuery' })
  expect(reply.status).toBe(403)
  expect(text(reply.body)).toMatch(
    /<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>AccessDenied<\/Code><Message>/,
  )
  expect(text(reply.body)).toContain('<RequestId>req-7</RequestId>')
})

// Source: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
test('ec2Query is a Response with RequestID in capitals', () => {
  const reply = errorReply({ ...DENIED, protocol: 'ec2Query' })
  expect(reply.status).toBe(403)
  expect(text(reply.body)).toContain(
    '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>',
  )
  expect(text(reply.body)).toContain('<RequestID>req-7</RequestID>')
})

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
test('S3 is a bare Error, without a namespace', () => {
  const reply = errorReply({ ...DENIED, protocol: 's3' })
  expect(reply.status).toBe(403)
  expect(text(reply.body)).toMatch(/^<\?xml [^>]+>\n<Error><Code>AccessDenied<\/Code><Message>/)
  expect(reply.headers).toContainEqual(['x-amz-request-id', 'req-7'])
})

// Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
test('restJson1 names the error in a header only', () => {
  const reply = errorReply({ ...DENIED, protocol: 'restJson1' })
  expect(reply.status).toBe(403)
  expect(reply.headers).toContainEqual(['x-amzn-errortype', 'AccessDeniedException'])
  expect(JSON.parse(text(reply.body))).toEqual({ message: DENIED.message })
})

// Source: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
test('rpcv2Cbor is a CBOR map and says which protocol it is', () => {
  const reply = errorReply({ ...DENIED, protocol: 'rpcv2Cbor' })
  expect(reply.status).toBe(400)
  expect(reply.headers).toContainEqual(['smithy-protocol', 'rpc-v2-cbor'])
  expect(decode(reply.body)).toEqual({ __type: 'AccessDeniedException', message: DENIED.message })
})

test('a HEAD reply has no body, and the same status as its GET', () => {
  const head = errorReply({ ...DENIED, protocol: 's3', isHead: true })
  expect(head.body.byteLength).toBe(0)
  expect(head.status).toBe(403)
  expect(head.headers).toContainEqual(['x-amz-error-code', 'AccessDenied'])
  expect(head.headers.map(([name]) => name)).not.toContain('content-length')
})

test('an unknown protocol is answered in XML with the code in a header too', () => {
  const reply = errorReply({ ...DENIED, protocol: undefined })
  expect(reply.headers).toContainEqual(['x-amzn-errortype', 'AccessDenied'])
  expect(text(reply.body)).toContain('<Code>AccessDenied</Code>')
})

test('a message is data in every protocol: escaped, one line, no control characters', () => {
  const message = 'a <b> & "c"\r\n</Message>\u0000\u001b[2J\u202eend'
  const shown = 'a <b> & "c" </Message> [2J end'
  const xmlText = 'a &lt;b&gt; &amp; &quot;c&quot; &lt;/Message&gt; [2J end'
  for (const protocol of ['awsQuery', 'restXml', 'ec2Query', 's3'] as const) {
    expect(text(errorReply({ ...DENIED, message, protocol }).body)).toContain(
      `<Message>${xmlText}</Message>`,
    )
  }
  const json = errorReply({ ...DENIED, message, protocol: 'awsJson1_1' })
  expect(JSON.parse(text(json.body))).toMatchObject({ message: shown })
})

test('a request id cannot end a header', () => {
  const reply = errorReply({ ...DENIED, protocol: 's3', requestId: 'a\r\nset-cookie: b' })
  expect(reply.headers).toContainEqual(['x-amzn-requestid', 'a--set-cookie:-b'])
})

test('a message of MESSAGE_CHARACTERS_MAX is shown whole, one past it is cut and says so', () => {
  const messageOf = (length: number) => {
    const message = 'm'.repeat(length)
    const reply = errorReply({ ...DENIED, message, protocol: 'restJson1' })
    return (JSON.parse(text(reply.body)) as { message: string }).message
  }
  expect(messageOf(MESSAGE_CHARACTERS_MAX)).toHaveLength(MESSAGE_CHARACTERS_MAX)
  expect(messageOf(MESSAGE_CHARACTERS_MAX + 1)).toHaveLength(MESSAGE_CHARACTERS_MAX)
  expect(messageOf(MESSAGE_CHARACTERS_MAX + 1).endsWith('m...')).toBe(true)
})

test('no code and no status of the table is one that clients retry', () => {
  // Source: botocore data/_retry.json and retries/standard.py; @smithy/core retry constants.
  const retried =
    /throttl|slowdown|RequestLimitExceeded|RequestTimeout|LimitExceeded|^Internal|Unavailable$/i
  for (const code of Object.keys(ERROR_WORDS) as ReplyCode[]) {
    for (const protocol of Object.keys(FAMILY_OF_PROTOCOL) as Protocol[]) {
      const [name, status] = ERROR_WORDS[code][FAMILY_OF_PROTOCOL[protocol]]
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(429)
      expect(status).not.toBe(408)
      expect(name === 'GateUnavailable' || !retried.test(name), name).toBe(true)
    }
  }
})
