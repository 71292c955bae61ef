// The operations whose input is an event stream: each row is one of its service where the index knows it,
// its requests are named, and those of its neighbours are not.
import { expect, test } from 'vitest'
import { serviceOf, signingNames } from '../index/service-index.ts'
import type { WireHeader } from '../wire-request.ts'
import { INPUT_STREAMS, inputStreamOf, saysStream } from './input-streams.ts'

const of = (
  service: string,
  target: string,
  headers: readonly WireHeader[] = [],
  method = 'POST',
) => inputStreamOf({ method, target, headers }, service)

for (const { service, operation, path, source } of INPUT_STREAMS) {
  test(`${operation} is named, with a source`, () => {
    const target = path.replaceAll('*', 'some-label')
    expect(source).not.toBe('')
    expect(of(service, target)).toBe(operation)
    expect(of(service, `${target}?a=b`)).toBe(operation)
    expect(of('dynamodb', target)).toBeUndefined()
    expect(of(service, `/more${target}`)).toBeUndefined()
  })
}

test('where the index has such an operation, it is at that path', () => {
  let known = 0
  for (const { service, operation, path } of INPUT_STREAMS) {
    const name = operation.split(':')[1] ?? ''
    if (!signingNames().includes(service)) continue
    for (const model of serviceOf(service).models) {
      const uri = model.operations[name]?.uri
      if (uri === undefined) continue
      known++
      expect(uri.replace(/\{[^}]+\}/g, '*')).toBe(path)
    }
  }
  expect(known).toBeGreaterThanOrEqual(5)
})

test('a neighbour with a whole body is none', () => {
  expect(of('qbusiness', '/applications/a/conversations?sync')).toBeUndefined()
  expect(of('qbusiness', '/applications/a/conversations?sync=&userId=u')).toBeUndefined()
  expect(of('qbusiness', '/applications/a/conversations', [], 'GET')).toBeUndefined()
  expect(of('bedrock', '/model/m/invoke-with-response-stream')).toBeUndefined()
  expect(of('s3', '/bucket/stream-transcription')).toBeUndefined()
})

test('a head that says so itself is one, whatever the operation', () => {
  const heads: WireHeader[] = [
    ['Content-Type', 'application/vnd.amazon.eventstream; a=b'],
    ['X-Amz-Content-Sha256', 'STREAMING-AWS4-HMAC-SHA256-EVENTS'],
    ['x-amz-content-sha256', 'STREAMING-AWS4-ECDSA-P256-SHA256-EVENTS'],
    ['Upgrade', 'WebSocket'],
  ]
  for (const head of heads) {
    expect(saysStream({ headers: [head] })).toBe(true)
    expect(of('dynamodb', '/', [head])).toBe('this operation')
  }
  const socket = of('transcribe', '/stream-transcription-websocket?a=b', heads.slice(3), 'GET')
  expect(socket).toBe('transcribe:StartStreamTranscription')
  for (const head of [
    ['content-type', 'application/json'],
    ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
    ['upgrade', 'h2c'],
  ] as const) {
    expect(saysStream({ headers: [head] })).toBe(false)
  }
})
