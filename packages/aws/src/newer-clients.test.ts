// Requests as today's SDK v3 clients write them, where that differs from what the v2 files say: they
// are the same operations. Expected actions from the Service Authorization Reference.

import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { describeCall } from './describe-call.ts'

interface Sent {
  readonly service: string
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

function described({
  service,
  method = 'POST',
  target = '/',
  headers = [],
  body = '',
}: Sent): Call {
  const request = {
    method,
    target,
    headers: [['host', `${service}.eu-west-1.amazonaws.com`], ...headers] as const,
    body: new TextEncoder().encode(body),
  }
  return describeCall(request, { service, region: 'eu-west-1' }, { account: '111122223333' })
}

const JSON_1_1 = ['content-type', 'application/x-amz-json-1.1'] as const
const REST_JSON = ['content-type', 'application/json'] as const

// Source: @aws-sdk/client-cloudtrail dist-es/runtimeConfig.shared.js (serviceTarget)
test.each(['CloudTrail_20131101', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101'])(
  'CloudTrail is named %s by its clients',
  (name) => {
    const call = described({
      service: 'cloudtrail',
      headers: [JSON_1_1, ['x-amz-target', `${name}.StopLogging`]],
      body: '{"Name":"trail"}',
    })
    expect(call.iamActions).toEqual(['cloudtrail:StopLogging'])
  },
)

test('a target that only ends like a known one is refused', () => {
  expect(() =>
    described({
      service: 'cloudtrail',
      headers: [JSON_1_1, ['x-amz-target', 'v20131101.CloudTrail_20131101.StopLogging']],
      body: '{"Name":"trail"}',
    }),
  ).toThrow('unknown x-amz-target prefix')
})

// Source: @aws-sdk/client-sesv2 dist-es/schemas (http trait of ListEmailIdentities)
test('SES lists identities at its old path and at its new one', () => {
  const old = described({
    service: 'ses',
    method: 'GET',
    target: '/v2/email/identities?PageSize=5',
  })
  const now = described({
    service: 'ses',
    target: '/v2/email/list-identities',
    headers: [REST_JSON],
    body: '{"PageSize":5}',
  })
  for (const call of [old, now]) {
    expect(call.iamActions).toEqual(['ses:ListEmailIdentities'])
    expect(call.parameters).toEqual({ PageSize: 5 })
  }
})

test('the new path of a list is not the creation at the old one', () => {
  const call = described({
    service: 'ses',
    target: '/v2/email/identities',
    headers: [REST_JSON],
    body: '{"EmailIdentity":"example.com"}',
  })
  expect(call.iamActions).toContain('ses:CreateEmailIdentity')
})

// Source: @aws-sdk/client-backup dist-es/schemas (idempotencyToken of CreatorRequestId)
test('H12 a token that only the newer model knows as one is no parameter', () => {
  const sent = (token: string) =>
    described({
      service: 'backup',
      method: 'PUT',
      target: '/backup-vaults/main',
      headers: [REST_JSON],
      body: `{"CreatorRequestId":"${token}"}`,
    })
  expect(sent('a').parameters).toEqual(sent('b').parameters)
})
