import { expect, test } from 'vitest'
import { ENDPOINT_TABLE } from './endpoint-table.ts'
import { dnsSuffixes, type HostRow, hostRow, pathStyle, requireRow } from './host-row.ts'

// Source: the hosts that AWS CLI 2.9.19 (botocore's endpoint rules) asks for, with their scopes.
const ASKED_BY_CLI: readonly (readonly [string, string, string])[] = [
  ['sts.eu-west-1.amazonaws.com', 'sts', 'eu-west-1'],
  ['cloudformation.eu-west-1.amazonaws.com', 'cloudformation', 'eu-west-1'],
  ['dynamodb.cn-north-1.amazonaws.com.cn', 'dynamodb', 'cn-north-1'],
  ['dynamodb.us-gov-west-1.amazonaws.com', 'dynamodb', 'us-gov-west-1'],
  ['iam.amazonaws.com', 'iam', 'us-east-1'],
  ['iam.cn-north-1.amazonaws.com.cn', 'iam', 'cn-north-1'],
  ['iam.us-gov.amazonaws.com', 'iam', 'us-gov-west-1'],
  ['route53.amazonaws.com', 'route53', 'us-east-1'],
  ['s3.eu-west-1.amazonaws.com', 's3', 'eu-west-1'],
  ['api.ecr.eu-west-1.amazonaws.com', 'ecr', 'eu-west-1'],
  ['s3.amazonaws.com', 's3', 'us-east-1'],
  ['sts.amazonaws.com', 'sts', 'us-east-1'],
]

for (const [host, service, region] of ASKED_BY_CLI) {
  test(`${host} is the row of ${service} in ${region}`, () => {
    expect(hostRow(host)).toMatchObject({ host, service, regions: [region], hostPrefix: '' })
  })
}

test('a bucket before a host of S3 is that bucket, in every partition', () => {
  const buckets: readonly (readonly [string, string, string])[] = [
    ['orders.s3.eu-west-1.amazonaws.com', 'orders', 'eu-west-1'],
    ['a.b-c.s3.cn-north-1.amazonaws.com.cn', 'a.b-c', 'cn-north-1'],
    ['orders.s3.us-gov-west-1.amazonaws.com', 'orders', 'us-gov-west-1'],
    ['orders.s3.amazonaws.com', 'orders', 'us-east-1'],
    ['a.s3.b.s3.eu-west-1.amazonaws.com', 'a.s3.b', 'eu-west-1'],
    [`${'b'.repeat(63)}.s3.eu-west-1.amazonaws.com`, 'b'.repeat(63), 'eu-west-1'],
  ]
  for (const [host, bucket, region] of buckets) {
    expect(hostRow(host)).toMatchObject({ service: 's3', regions: [region], bucket })
  }
})

test('what stands before S3 and is no bucket name is no row', () => {
  const labels = [
    '',
    'ab',
    'b'.repeat(64),
    'UPPER',
    'a..b',
    '-ab',
    'ab-',
    'a_b',
    'a/b',
    'a b',
    '.ab',
  ]
  for (const label of labels) {
    expect(hostRow(`${label}.s3.eu-west-1.amazonaws.com`)).toBeUndefined()
  }
})

test('an account label stands only before the host that has one', () => {
  expect(hostRow('123456789012.s3-control.eu-west-1.amazonaws.com')).toMatchObject({
    service: 's3',
    endpointPrefix: 's3-control',
    hostPrefix: '123456789012.',
  })
  expect(hostRow('12345678901.s3-control.eu-west-1.amazonaws.com')).toBeUndefined()
  expect(hostRow('123456789012.dynamodb.eu-west-1.amazonaws.com')).toBeUndefined()
  expect(hostRow('bucket.s3-control.eu-west-1.amazonaws.com')).toBeUndefined()
})

test('M9: other hosts are no row, those of customers included', () => {
  const hosts = [
    '',
    'example.com',
    'amazonaws.com',
    'packages.example',
    '127.0.0.1',
    '169.254.169.254',
    'dynamodb.eu-west-1.amazonaws.com.evil.example',
    'evil-dynamodb.eu-west-1.amazonaws.com',
    'DYNAMODB.eu-west-1.amazonaws.com',
    'dynamodb.eu-west-1.amazonaws.com.',
    'dynamodb.eu-west-9.amazonaws.com',
    'dynamodb.cn-north-1.amazonaws.com',
    'abc123.execute-api.eu-west-1.amazonaws.com',
    'lb-1.eu-west-1.elb.amazonaws.com',
    'bucket.s3-website-eu-west-1.amazonaws.com',
    'bucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com',
    'point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com',
    `${'a.'.repeat(120)}s3.eu-west-1.amazonaws.com`,
  ]
  for (const host of hosts) expect(hostRow(host), host).toBeUndefined()
})

test('every host of the table ends with a suffix of its partition', () => {
  const suffixes = dnsSuffixes()
  expect(suffixes).toEqual(expect.arrayContaining(['amazonaws.com', 'amazonaws.com.cn', 'api.aws']))
  for (const { endpoints } of Object.values(ENDPOINT_TABLE.services)) {
    for (const row of Object.values(endpoints)) {
      const templates = [row.host, ...Object.values({ ...row.partitionHosts, ...row.regionHosts })]
      for (const host of templates) {
        const known = suffixes.some((suffix) => host.endsWith(`.${suffix}`))
        expect(known || /\.\{(dnsSuffix|dualStackDnsSuffix)\}$/.test(host), host).toBe(true)
      }
    }
  }
})

function row(host: string): HostRow {
  const found = hostRow(host)
  if (found === undefined) throw new Error(`no row for ${host}`)
  return found
}

test('a signature for another service or region than the host is refused', () => {
  const host = row('dynamodb.eu-west-1.amazonaws.com')
  const request = { headers: [] }
  expect(() =>
    requireRow(host, { service: 'dynamodb', region: 'eu-west-1' }, request),
  ).not.toThrow()
  for (const scope of [
    { service: 's3', region: 'eu-west-1' },
    { service: 'dynamodb', region: 'us-east-1' },
    { service: 'DynamoDB', region: 'eu-west-1' },
  ]) {
    const refused = expect.objectContaining({ code: 'other_row' })
    expect(() => requireRow(host, scope, request)).toThrow(refused)
  }
})

test('H1: the account in the host and the one in the header are one account', () => {
  const host = row('123456789012.s3-control.eu-west-1.amazonaws.com')
  const scope = { service: 's3', region: 'eu-west-1' }
  const withAccount = (account: string) => ({ headers: [['X-Amz-Account-Id', account]] as const })
  expect(() => requireRow(host, scope, withAccount('123456789012'))).not.toThrow()
  const refused = expect.objectContaining({ code: 'other_row' })
  expect(() => requireRow(host, scope, withAccount('210987654321'))).toThrow(refused)
})

test('path style moves the bucket into the target and leaves every other byte', () => {
  const request = {
    method: 'PUT',
    target: '//a%2Fb/./c%20?versionId=%2B&acl',
    headers: [
      ['Host', 'orders.s3.eu-west-1.amazonaws.com'],
      ['X-Amz-Copy-Source', '/other/key'],
    ] as const,
    body: new Uint8Array([1, 2]),
  }
  expect(pathStyle(request, row('orders.s3.eu-west-1.amazonaws.com'))).toEqual({
    ...request,
    target: '/orders//a%2Fb/./c%20?versionId=%2B&acl',
    headers: [
      ['Host', 's3.eu-west-1.amazonaws.com'],
      ['X-Amz-Copy-Source', '/other/key'],
    ],
  })
  expect(pathStyle(request, row('s3.eu-west-1.amazonaws.com'))).toBe(request)
})

test('a target that is not in origin form is not made into one', () => {
  const request = { method: 'GET', target: 'https://x/', headers: [], body: new Uint8Array() }
  expect(pathStyle(request, row('orders.s3.eu-west-1.amazonaws.com'))).toBe(request)
})
