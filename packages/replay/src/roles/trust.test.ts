// Whom a trust lets in, each row with its twin that is narrow enough.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and
// https://docs.github.com/en/actions/security-for-github-actions/security-hardening-your-deployments/configuring-openid-connect-in-amazon-web-services
import type { Json } from '@seconder/aws/call'
import { parsePolicy } from '@seconder/aws/iam/policy'
import { expect, test } from 'vitest'
import { ACCOUNT, arnOf, document, estateOf, OTHER, role, trusts } from './estate.fixture.ts'
import { trustFaults } from './trust.ts'

const GITHUB = arnOf('oidc-provider/token.actions.githubusercontent.com')
const SUB = 'token.actions.githubusercontent.com:sub'
const web = (provider: string, condition: Json = {}) =>
  trusts({ Federated: provider }, { Action: 'sts:AssumeRoleWithWebIdentity', Condition: condition })
const externalId = { StringEquals: { 'sts:ExternalId': 'x' } }

function faults(statement: Parameters<typeof document>[0], more: object = {}) {
  const estate = estateOf({ roles: [role({ name: 'r', trust: [statement], ...more })] })
  const [identity] = estate.identities.values()
  if (!identity) throw new Error('no role')
  const trust = parsePolicy(document(statement), 'trust', 'trust')
  return trustFaults(identity, trust, { accounts: new Set([ACCOUNT, OTHER]) }).map(
    ({ rule, severity }) => `${rule.slice(6)} ${severity}`,
  )
}

test.each([
  ['everybody', trusts('*'), ['trust-everybody critical']],
  ['everybody by AWS', trusts({ AWS: '*' }), ['trust-everybody critical']],
  [
    'everybody of an organization',
    trusts('*', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }),
    ['trust-everybody low'],
  ],
  [
    'everybody whose key is one or missing',
    trusts('*', { Condition: { StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' } } }),
    ['trust-everybody critical'],
  ],
  [
    'everybody but one',
    { Effect: 'Allow', NotPrincipal: { AWS: arnOf('user/x') }, Action: 'sts:AssumeRole' },
    ['trust-not-principal critical'],
  ],
  ['its own account', trusts({ AWS: ACCOUNT }), ['trust-whole-account note']],
  ['one of its own account', trusts({ AWS: arnOf('user/x') }), []],
  ['a configured account', trusts({ AWS: arnOf('root', OTHER) }), []],
  ['a foreign account', trusts({ AWS: '777777777777' }), ['trust-external high']],
  [
    'a foreign account with an external id',
    trusts({ AWS: '777777777777' }, { Condition: externalId }),
    ['trust-external low'],
  ],
  [
    'a foreign account with an external id or none',
    trusts(
      { AWS: '777777777777' },
      { Condition: { StringEqualsIfExists: externalId.StringEquals } },
    ),
    ['trust-external high'],
  ],
  [
    'one of a foreign account',
    trusts({ AWS: arnOf('role/x', '777777777777') }),
    ['trust-external medium'],
  ],
  ['somebody who is gone', trusts({ AWS: 'AROAEXAMPLEID1234567' }), ['trust-gone-principal note']],
  ['a service', trusts({ Service: 'sns.amazonaws.com' }), ['confused-deputy low']],
  [
    'a service for its account',
    trusts(
      { Service: 'sns.amazonaws.com' },
      { Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } } },
    ),
    [],
  ],
  [
    'a service for one source',
    trusts(
      { Service: 'sns.amazonaws.com' },
      { Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:sns:*:${ACCOUNT}:t` } } },
    ),
    [],
  ],
  [
    'GitHub, whoever',
    web(GITHUB, {
      StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
    }),
    ['oidc-no-subject critical'],
  ],
  [
    'GitHub, one branch',
    web(GITHUB, { StringEquals: { [SUB]: 'repo:org/app:ref:refs/heads/main' } }),
    [],
  ],
  [
    'GitHub, any branch of one',
    web(GITHUB, { StringLike: { [SUB]: 'repo:org/app:*' } }),
    ['oidc-wide-subject high'],
  ],
  [
    'GitHub, any tag of one',
    web(GITHUB, { StringLike: { [SUB]: 'repo:org/app:ref:refs/tags/*' } }),
    [],
  ],
  [
    'GitHub, a whole organization',
    web(GITHUB, { StringLike: { [SUB]: 'repo:org/*' } }),
    ['oidc-wide-subject high'],
  ],
  ['GitHub, all', web(GITHUB, { StringLike: { [SUB]: '*' } }), ['oidc-wide-subject high']],
  [
    'GitHub, for all values: also of none',
    web(GITHUB, { 'ForAllValues:StringLike': { [SUB]: 'repo:org/app:environment:x' } }),
    ['oidc-no-subject critical'],
  ],
  [
    'GitHub, not that one',
    web(GITHUB, { StringNotEquals: { [SUB]: 'repo:org/app:x' } }),
    ['oidc-no-subject critical'],
  ],
  [
    'a cluster of its own, whoever',
    web(arnOf('oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/X')),
    ['oidc-no-subject medium'],
  ],
  [
    'a cluster of its own, one account',
    web(arnOf('oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/X'), {
      StringEquals: { 'oidc.eks.eu-west-1.amazonaws.com/id/X:sub': 'system:serviceaccount:a:b' },
    }),
    [],
  ],
  [
    'Cognito without an audience',
    web('cognito-identity.amazonaws.com'),
    ['oidc-no-audience critical'],
  ],
  [
    'Cognito with one',
    web('cognito-identity.amazonaws.com', {
      StringEquals: { 'cognito-identity.amazonaws.com:aud': 'x' },
    }),
    [],
  ],
  [
    'SAML',
    trusts({ Federated: arnOf('saml-provider/x') }, { Action: 'sts:AssumeRoleWithSAML' }),
    [],
  ],
  ['a deny', { ...trusts('*'), Effect: 'Deny' }, []],
  ['tagging alone', trusts('*', { Action: 'sts:TagSession' }), []],
] as const)('%s: %o %o', (_, statement, found) => {
  expect(faults(statement as Parameters<typeof document>[0])).toEqual(found)
})
