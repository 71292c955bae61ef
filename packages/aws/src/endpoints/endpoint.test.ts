import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { compileEndpoints, endpointTableText } from '../../build/compile-endpoints.ts'
import { customerHostedReason } from './customer-hosted.ts'
import { assertHostInTable, endpointFor, partitionOf } from './endpoint.ts'

// Source: botocore 1.43 endpoint-rule-set-1.json of each service, resolved without options.
const EXPECTED: readonly (readonly [string, string, string, string, string])[] = [
  ['dynamodb', 'us-east-1', 'dynamodb.us-east-1.amazonaws.com', 'aws', 'us-east-1'],
  ['dynamodb', 'cn-north-1', 'dynamodb.cn-north-1.amazonaws.com.cn', 'aws-cn', 'cn-north-1'],
  ['ec2', 'us-gov-east-1', 'ec2.us-gov-east-1.amazonaws.com', 'aws-us-gov', 'us-gov-east-1'],
  ['s3', 'eu-west-1', 's3.eu-west-1.amazonaws.com', 'aws', 'eu-west-1'],
  ['s3', 'cn-northwest-1', 's3.cn-northwest-1.amazonaws.com.cn', 'aws-cn', 'cn-northwest-1'],
  ['iam', 'eu-west-1', 'iam.amazonaws.com', 'aws', 'us-east-1'],
  ['iam', 'cn-northwest-1', 'iam.cn-north-1.amazonaws.com.cn', 'aws-cn', 'cn-north-1'],
  ['iam', 'us-gov-east-1', 'iam.us-gov.amazonaws.com', 'aws-us-gov', 'us-gov-west-1'],
  ['sts', 'cn-north-1', 'sts.cn-north-1.amazonaws.com.cn', 'aws-cn', 'cn-north-1'],
  ['sts', 'us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com', 'aws-us-gov', 'us-gov-west-1'],
  ['route53', 'eu-west-1', 'route53.amazonaws.com', 'aws', 'us-east-1'],
  ['route53', 'cn-north-1', 'route53.amazonaws.com.cn', 'aws-cn', 'cn-northwest-1'],
  ['cloudfront', 'eu-west-1', 'cloudfront.amazonaws.com', 'aws', 'us-east-1'],
  [
    'cloudfront',
    'cn-north-1',
    'cloudfront.cn-northwest-1.amazonaws.com.cn',
    'aws-cn',
    'cn-northwest-1',
  ],
  ['organizations', 'eu-west-1', 'organizations.us-east-1.amazonaws.com', 'aws', 'us-east-1'],
  ['ce', 'ap-southeast-2', 'ce.us-east-1.amazonaws.com', 'aws', 'us-east-1'],
  ['ce', 'cn-north-1', 'ce.cn-northwest-1.amazonaws.com.cn', 'aws-cn', 'cn-northwest-1'],
  ['networkmanager', 'eu-west-1', 'networkmanager.us-west-2.amazonaws.com', 'aws', 'us-west-2'],
  ['ecr', 'eu-west-1', 'api.ecr.eu-west-1.amazonaws.com', 'aws', 'eu-west-1'],
  ['ses', 'eu-west-1', 'email.eu-west-1.amazonaws.com', 'aws', 'eu-west-1'],
  ['datazone', 'eu-west-1', 'datazone.eu-west-1.api.aws', 'aws', 'eu-west-1'],
  ['s3', 'us-iso-east-1', 's3.us-iso-east-1.c2s.ic.gov', 'aws-iso', 'us-iso-east-1'],
]

for (const [service, region, host, partition, signingRegion] of EXPECTED) {
  test(`${service} in ${region} is ${host}`, () => {
    const endpoint = endpointFor(service, region)
    expect(endpoint).toMatchObject({ host, partition, signingRegion })
    expect(() => assertHostInTable(host)).not.toThrow()
  })
}

test('what is no row of the table has no endpoint', () => {
  for (const service of ['', 'unknown', 'constructor', '__proto__', 'S3', 'dynamodb.evil']) {
    expect(endpointFor(service, 'us-east-1')).toBeUndefined()
  }
  for (const region of ['', 'us-east-9', 'aws-global', 'x@evil.example:443/#', 'US-EAST-1']) {
    expect(endpointFor('s3', region)).toBeUndefined()
    expect(partitionOf(region)).toBeUndefined()
  }
})

test('C5: no text of a scope becomes a host', () => {
  const hostile = ['x@evil.example:443/#', 'us-east-1.evil.example', 'us-east-1/', 'us-east-1%00']
  for (const region of hostile) expect(endpointFor('s3', region)).toBeUndefined()
  for (const prefix of ['evil.example/', 'constructor', 'x@']) {
    expect(endpointFor('s3', 'us-east-1', { endpointPrefix: prefix })).toBeUndefined()
    expect(endpointFor('s3', 'us-east-1', { hostPrefix: prefix })).toBeUndefined()
  }
})

test('an operation may name another endpoint of its service, from the table only', () => {
  const streams = endpointFor('dynamodb', 'eu-west-1', { endpointPrefix: 'streams.dynamodb' })
  expect(streams?.host).toBe('streams.dynamodb.eu-west-1.amazonaws.com')
  expect(endpointFor('dynamodb', 'eu-west-1', { endpointPrefix: 'iam' })).toBeUndefined()
  const sync = endpointFor('states', 'eu-west-1', { hostPrefix: 'sync-' })
  expect(sync?.host).toBe('sync-states.eu-west-1.amazonaws.com')
  expect(endpointFor('states', 'eu-west-1', { hostPrefix: 'evil-' })).toBeUndefined()
})

test('an account label is twelve digits and only where the table has one', () => {
  const choice = { endpointPrefix: 's3-control', hostPrefix: '123456789012.' }
  const host = endpointFor('s3', 'eu-west-1', choice)?.host ?? ''
  expect(host).toBe('123456789012.s3-control.eu-west-1.amazonaws.com')
  expect(() => assertHostInTable(host)).not.toThrow()
  for (const hostPrefix of ['12345678901.', '1234567890123.', '{AccountId}.', 'evil.example/.']) {
    expect(endpointFor('s3', 'eu-west-1', { ...choice, hostPrefix })).toBeUndefined()
  }
  expect(endpointFor('dynamodb', 'eu-west-1', { hostPrefix: '123456789012.' })).toBeUndefined()
})

test('a signing name with several equal endpoints has none until one is chosen', () => {
  expect(endpointFor('lex', 'eu-west-1')).toBeUndefined()
  const chosen = endpointFor('lex', 'eu-west-1', { endpointPrefix: 'models-v2-lex' })
  expect(chosen?.host).toBe('models-v2-lex.eu-west-1.amazonaws.com')
})

test('hosts of customers are refused by name, with a reason', () => {
  const names = ['execute-api', 'es', 'aoss', 'appsync', 'iotdata', 'neptune-db', 's3express']
  for (const name of names) {
    expect(customerHostedReason(name)).toMatch(/own$/)
    expect(endpointFor(name, 'us-east-1')).toBeUndefined()
  }
  expect(customerHostedReason('dynamodb')).toBeUndefined()
})

test('a host outside the table is refused, however close it is', () => {
  const hosts = [
    'evil.example',
    's3.us-east-1.amazonaws.com.evil.example',
    's3.us-east-1.amazonaws.com:443',
    'bucket.s3.us-east-1.amazonaws.com',
    'S3.us-east-1.amazonaws.com',
    's3.us-east-9.amazonaws.com',
    '169.254.169.254',
    '',
  ]
  for (const host of hosts) {
    expect(() => assertHostInTable(host)).toThrow(
      expect.objectContaining({ code: 'host_not_in_table' }),
    )
  }
})

const require = createRequire(import.meta.url)
const INSTALLED = ['aws-sdk', '@aws-sdk/core'].every((name) =>
  (require.resolve.paths(name) ?? []).some((folder) => existsSync(`${folder}/${name}`)),
)

test.skipIf(!INSTALLED)('the committed table is what the build makes', async () => {
  const committed = readFileSync(new URL('../../data/endpoints.json', import.meta.url), 'utf8')
  expect(endpointTableText(await compileEndpoints())).toBe(committed)
})

test('what was answered before changes no later answer', () => {
  const asked = [
    ['s3', 'eu-west-1', {}],
    ['s3', 'eu-west-1', { endpointPrefix: 's3-control' }],
    ['s3', 'eu-west-1', { endpointPrefix: '' }],
    ['s3\neu-west-1\nmain\n', '', {}],
    ['s3', 'eu-west-1\nmain\n', {}],
    ['iam', 'eu-west-1', {}],
    ['nothing', 'eu-west-1', {}],
  ] as const
  const first = asked.map(([service, region, choice]) => endpointFor(service, region, choice))
  const again = asked.map(([service, region, choice]) => endpointFor(service, region, choice))
  expect(again).toEqual(first)
  expect(first.map((endpoint) => endpoint?.host)).toEqual([
    's3.eu-west-1.amazonaws.com',
    's3-control.eu-west-1.amazonaws.com',
    undefined,
    undefined,
    undefined,
    'iam.amazonaws.com',
    undefined,
  ])
})
