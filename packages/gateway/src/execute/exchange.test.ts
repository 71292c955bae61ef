import { hostRow } from '@seconder/aws/endpoints/host-row'
import { expect, test } from 'vitest'
import { createExchange } from './exchange.ts'

const exchange = createExchange({ endpoint: null, timeoutMs: 1_000 })

function forwardedTo(host: string): string {
  const row = hostRow(host)
  if (row === undefined) throw new Error(`no row for ${host}`)
  const { service, regions, endpointPrefix, hostPrefix } = row
  const region = regions[0] ?? ''
  return exchange.destination({ service, region, endpointPrefix, hostPrefix }).host
}

test('a call goes to the very host that its client named in CONNECT mode', () => {
  const hosts = [
    'dynamodb.eu-west-1.amazonaws.com',
    'streams.dynamodb.eu-west-1.amazonaws.com',
    'sync-states.eu-west-1.amazonaws.com',
    '123456789012.s3-control.cn-north-1.amazonaws.com.cn',
    'iam.us-gov.amazonaws.com',
  ]
  for (const host of hosts) expect(forwardedTo(host)).toBe(host)
})

test('a bucket in the host goes to the host of path style, a global host to its region', () => {
  expect(forwardedTo('orders.s3.eu-west-1.amazonaws.com')).toBe('s3.eu-west-1.amazonaws.com')
  expect(forwardedTo('sts.amazonaws.com')).toBe('sts.us-east-1.amazonaws.com')
})

test('labels that the table does not have for that API are refused', () => {
  const scope = { service: 'dynamodb', region: 'eu-west-1', endpointPrefix: 'dynamodb' }
  for (const hostPrefix of ['sync-', '123456789012.', 'evil.example/']) {
    expect(() => exchange.destination({ ...scope, hostPrefix })).toThrow(
      expect.objectContaining({ code: 'upstream_not_allowed' }),
    )
  }
})
