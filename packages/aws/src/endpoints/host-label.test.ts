// What may stand before the gate's own name, and which operations are called under a label.
import { expect, test } from 'vitest'
import type { WireHeader } from '../wire-request.ts'
import { EndpointError } from './errors.ts'
import { hostLabel, labelOfOperation } from './host-label.ts'

const request = (target = '/', headers: readonly WireHeader[] = []) => ({ target, headers })
const account = (id: string): WireHeader => ['X-Amz-Account-Id', id]
const refused = expect.objectContaining({ name: 'EndpointError', code: 'other_row' })

test('nothing before the name is nothing', () => {
  expect(hostLabel('', 's3', request())).toEqual({ hostPrefix: '' })
  expect(hostLabel('', 'unknown', request())).toEqual({ hostPrefix: '' })
})

test('before S3 stands a bucket, or the account that S3 Control names', () => {
  expect(hostLabel('my.bucket-1.', 's3', request('/key'))).toEqual({
    bucket: 'my.bucket-1',
    hostPrefix: '',
  })
  const control = request('/v20180820/accesspoint', [account('123456789012')])
  expect(hostLabel('123456789012.', 's3', control)).toEqual({ hostPrefix: '123456789012.' })
})

test('H1 what could be a bucket and an account is neither', () => {
  for (const [label, one] of [
    ['123456789012.', request('/v20180820/accesspoint')],
    ['123456789012.', request('/key', [account('123456789012')])],
    ['123456789012.', request('/v20180820/x', [account('210987654321')])],
    ['123456789012.', request('/v20180820/x', [account('123456789012'), account('123456789012')])],
    ['my-bucket.', request('/v20180820/accesspoint', [account('123456789012')])],
  ] as const) {
    expect(() => hostLabel(label, 's3', one)).toThrow(refused)
  }
})

test('what no row of the table has is refused', () => {
  for (const label of ['b.', 'my_bucket.', '-a.', 'a..b.', 'bucket-', '{AccountId}.']) {
    expect(() => hostLabel(label, 's3', request())).toThrow(refused)
  }
  for (const service of ['dynamodb', 'states', 'constructor', '__proto__']) {
    expect(() => hostLabel('evil.', service, request())).toThrow(refused)
    expect(() => hostLabel('my-bucket.', service, request())).toThrow(refused)
  }
  expect(hostLabel('sync-', 'states', request())).toEqual({ hostPrefix: 'sync-' })
})

// Source: npm aws-sdk 2.1693.0, `endpoint.hostPrefix` of each operation's model.
test('an operation is called under the label of its model, whether the client named it or could not', () => {
  const sync = { service: 'states', endpointPrefix: 'states', name: 'StartSyncExecution' }
  expect(labelOfOperation('', sync, request())).toBe('sync-')
  expect(labelOfOperation('sync-', sync, request())).toBe('sync-')
  const start = { ...sync, name: 'StartExecution' }
  expect(labelOfOperation('', start, request())).toBe('')
  expect(() => labelOfOperation('sync-', start, request())).toThrow(EndpointError)
  const discover = { service: 'servicediscovery', endpointPrefix: null, name: 'DiscoverInstances' }
  expect(labelOfOperation('', discover, request())).toBe('data-')
})

test('an account comes from its own header alone, and from twelve digits', () => {
  const list = { service: 's3', endpointPrefix: 's3-control', name: 'ListAccessPoints' }
  const of = (...headers: WireHeader[]) => labelOfOperation('', list, request('/', headers))
  expect(of(account('123456789012'))).toBe('123456789012.')
  expect(of()).toBe('')
  expect(of(account('123456789012'), account('123456789012'))).toBe('')
  expect(of(account('evil.example'))).toBe('')
  expect(labelOfOperation('123456789012.', list, request())).toBe('123456789012.')
  const get = { service: 's3', endpointPrefix: 's3', name: 'GetObject' }
  expect(() => labelOfOperation('123456789012.', get, request())).toThrow(refused)
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(labelOfOperation('', { ...get, service: name, name }, request())).toBe('')
  }
})
