// Every limit of reading a request: at the limit it is read, one past it is refused by name.

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { CallError } from './call-errors.ts'
import { QUERY_LIST_MAX } from './describe/decode-query.ts'
import { INFLATED_BYTES_MAX } from './describe/payload.ts'
import { RESOURCES_MAX } from './describe/resources.ts'
import { describeCall } from './describe-call.ts'
import { HEADERS_MAX, QUERY_KEYS_MAX, TARGET_BYTES_MAX } from './recognise/wire.ts'
import type { WireHeader } from './wire-request.ts'
import { parseXml, XML_BYTES_MAX, XML_ELEMENTS_MAX } from './xml/xml-tree.ts'

const HOST: WireHeader = ['host', 's3.us-east-1.amazonaws.com']
const FORM: WireHeader = ['content-type', 'application/x-www-form-urlencoded']

function describe(
  service: string,
  line: string,
  headers: readonly WireHeader[],
  body: string | Uint8Array = '',
): Call {
  const [method = '', target = ''] = line.split(' ')
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const request = { method, target, headers, body: bytes }
  return describeCall(request, { service, region: 'us-east-1' }, { account: '123456789012' })
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'read'
  } catch (error) {
    if (error instanceof CallError) return error.code
    throw error
  }
}

test('the request target has a longest length', () => {
  const get = (length: number) => () => describe('s3', `GET /b/${'k'.repeat(length - 3)}`, [HOST])
  expect(codeOf(get(TARGET_BYTES_MAX))).toBe('read')
  expect(codeOf(get(TARGET_BYTES_MAX + 1))).toBe('malformed_target')
})

test('headers and query keys have a greatest count', () => {
  const headers = (count: number): WireHeader[] =>
    Array.from({ length: count - 1 }, (_, at): WireHeader => [`h${at}`, '1'])
  const withHeaders = (count: number) => () => describe('s3', 'GET /b/k', [HOST, ...headers(count)])
  expect(codeOf(withHeaders(HEADERS_MAX))).toBe('read')
  expect(codeOf(withHeaders(HEADERS_MAX + 1))).toBe('malformed_header')
  const keys = (count: number): string =>
    Array.from({ length: count }, (_, at) => `k${at}`).join('&')
  const withKeys = (count: number) => () => describe('s3', `GET /b/k?${keys(count)}`, [HOST])
  expect(codeOf(withKeys(QUERY_KEYS_MAX))).toBe('read')
  expect(codeOf(withKeys(QUERY_KEYS_MAX + 1))).toBe('malformed_target')
})

test('XML has a greatest size and a greatest number of elements', () => {
  const sized = (bytes: number) => () => parseXml(Buffer.from(`<a>${'x'.repeat(bytes - 7)}</a>`))
  expect(codeOf(sized(XML_BYTES_MAX))).toBe('read')
  expect(codeOf(sized(XML_BYTES_MAX + 1))).toBe('body_too_large')
  const filled = (count: number) => () =>
    parseXml(Buffer.from(`<a>${'<b/>'.repeat(count - 1)}</a>`))
  expect(codeOf(filled(XML_ELEMENTS_MAX))).toBe('read')
  expect(codeOf(filled(XML_ELEMENTS_MAX + 1))).toBe('body_too_large')
})

test('a gzip body may not grow past its limit', () => {
  const put = (bytes: number) => () =>
    describe(
      'monitoring',
      'POST /',
      [
        ['content-type', 'application/x-amz-json-1.0'],
        ['x-amz-target', 'GraniteServiceVersion20100801.DescribeAlarms'],
        ['content-encoding', 'gzip'],
      ],
      gzipSync(`{}${' '.repeat(bytes - 2)}`),
    )
  expect(codeOf(put(INFLATED_BYTES_MAX))).toBe('read')
  expect(codeOf(put(INFLATED_BYTES_MAX + 1))).toBe('malformed_body')
})

test('an element number past the limit is no element', () => {
  const id = 'i-0aaaaaaaaaaaaaaa1'
  const past = (): Call =>
    describe(
      'ec2',
      'POST /',
      [FORM],
      `Action=StopInstances&Version=2016-11-15&InstanceId.${QUERY_LIST_MAX + 1}=${id}`,
    )
  expect(codeOf(past)).toBe('wrong_type')
})

test('past the greatest number of resources the rest is one unresolved `*`', () => {
  const remove = (count: number): Call => {
    const keys = Array.from({ length: count }, (_, at) => `<Object><Key>k${at}</Key></Object>`)
    return describe('s3', 'POST /b-reports?delete', [HOST], `<Delete>${keys.join('')}</Delete>`)
  }
  const isStar = (call: Call): boolean => call.resources.some((each) => each.arn === '*')
  expect(isStar(remove(RESOURCES_MAX))).toBe(false)
  expect(isStar(remove(RESOURCES_MAX + 1))).toBe(true)
})
