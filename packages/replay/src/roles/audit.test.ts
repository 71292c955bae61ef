// The audit whole: what is destroyed where, who is behind the gate, who goes round it (red team C2), who can
// change it, and what each role reaches (red team H8).
import { describe, expect, test } from 'vitest'
import {
  ACCOUNT,
  allow,
  arnOf,
  audited,
  deny,
  document,
  managed,
  OTHER,
  organizationOf,
  role,
  trusts,
  user,
} from './estate.fixture.ts'
import type { Finding } from './finding.ts'
import type { GateFacts } from './gate.ts'

const GATE = arnOf('role/gate')
const DEPLOY = arnOf('role/deploy')
const ENVIRONMENTS: GateFacts['environments'] = [
  {
    name: 'production',
    accounts: [ACCOUNT],
    arns: ['arn:aws:dynamodb:*:*:table/prod-*'],
    mode: 'enforce',
  },
  {
    name: 'development',
    accounts: [ACCOUNT],
    arns: ['arn:aws:dynamodb:*:*:table/dev-*'],
    mode: 'enforce',
  },
]
const CONFIGURED: Partial<GateFacts> = {
  configured: true,
  environments: ENVIRONMENTS,
  roles: [DEPLOY],
  own: GATE,
  protect: [
    { arn: arnOf('policy/seconder-*'), what: 'made by seconder init aws' },
    { arn: 'arn:aws:s3:::gate-ledger', what: 'named under `protect:`' },
  ],
}
const gateRole = role({
  name: 'gate',
  can: [allow('sts:AssumeRole', DEPLOY)],
  trust: [trusts({ Service: 'ec2.amazonaws.com' })],
})
const deployRole = role({
  name: 'deploy',
  can: [allow('dynamodb:*')],
  trust: [trusts({ AWS: GATE })],
})

const by = (findings: readonly Finding[], subject: string) =>
  Object.fromEntries(
    findings.filter((each) => each.subject === subject).map((each) => [each.rule, each]),
  )

describe('what is destroyed, where', () => {
  const found = (
    can: Parameters<typeof user>[0]['can'],
    more: Parameters<typeof audited>[1] = {},
  ) => {
    const { audit } = audited(
      { users: [user({ name: 'a', ...(can && { can }) })] },
      { gate: CONFIGURED, ...more },
    )
    return { row: audit.principals[0], of: by(audit.findings, arnOf('user/a')) }
  }

  test('one table of development is development alone', () => {
    const { row, of } = found([
      allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:eu-west-1:111122223333:table/dev-orders'),
    ])
    expect(row?.destroys.actions.map(({ action }) => action)).toEqual(['dynamodb:DeleteTable'])
    expect(row?.environments).toEqual(['development'])
    expect(of['roles/destroys']).toMatchObject({
      severity: 'low',
      evidence: [{ policy: 'own', statement: '0' }],
    })
    expect(of['roles/goes-round-the-gate']).toBe(undefined)
  })

  test('every table is production and development', () => {
    const { row, of } = found([allow('dynamodb:DeleteTable')])
    expect(row?.environments).toEqual(['production', 'development'])
    expect(of['roles/destroys']?.severity).toBe('high')
    expect(of['roles/goes-round-the-gate']?.severity).toBe('high')
  })

  test('production under a condition depends on it; development stays certain', () => {
    const mfa = { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }
    const { row, of } = found([
      allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:*:*:table/dev-*'),
      allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:*:*:table/prod-*', mfa),
    ])
    expect(row?.destroys.certain).toEqual(['development'])
    expect(row?.destroys.possible).toEqual(['production'])
    expect(of['roles/destroys']?.severity).toBe('medium')
    expect(of['roles/goes-round-the-gate']).toMatchObject({ severity: 'medium' })
  })

  test('a deny of production leaves development', () => {
    const { row } = found([
      allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:*:*:table/dev-*'),
      allow('dynamodb:DeleteTable'),
      deny('dynamodb:*', 'arn:aws:dynamodb:*:*:table/prod-*'),
    ])
    expect(row?.destroys.actions[0]?.answer.truth).toBe('yes')
    expect(row?.destroys.certain).toContain('development')
  })

  test('everything but production is not production', () => {
    const environments: GateFacts['environments'] = [
      {
        name: 'production',
        accounts: [ACCOUNT],
        arns: ['arn:aws:dynamodb:*:*:table/prod-*'],
        mode: 'enforce',
      },
      { name: 'development', accounts: [ACCOUNT], mode: 'enforce' },
    ]
    const can = [allow('dynamodb:*Table'), deny('dynamodb:*', 'arn:aws:dynamodb:*:*:table/prod-*')]
    const { row, of } = found(can, { gate: { ...CONFIGURED, environments } })
    expect(row?.environments).toEqual(['development'])
    expect(row?.destroys.certain).toEqual(['development'])
    expect(of['roles/goes-round-the-gate']).toBe(undefined)
    // The rest stays possible where the one example that was tried is denied.
    const rest = found(
      [
        ...can,
        deny('dynamodb:*', 'arn:aws:dynamodb:*:*:table/x*'),
        allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:*:*:table/y'),
      ],
      { gate: { ...CONFIGURED, environments: [environments[0] ?? []].flat() } },
    )
    expect(rest.row?.environments).toEqual(['production'])
    const some = found([allow('dynamodb:DeleteTable', 'arn:aws:dynamodb:*:*:table/prod-x*')], {
      gate: { ...CONFIGURED, environments },
    })
    expect(some.row?.environments).toEqual(['production'])
  })

  test('an SCP that denies deletes leaves nothing', () => {
    const organization = organizationOf([document(deny('dynamodb:Delete*'))])
    const { row } = found([allow('dynamodb:DeleteTable')], { organization })
    expect(row?.destroys.actions).toEqual([])
  })

  test('reads are nothing', () => {
    const { row, of } = found([allow(['dynamodb:Get*', 's3:List*', 'ec2:Describe*'])])
    expect([row?.environments, Object.keys(of)]).toEqual([[], []])
  })
})

describe('C2 every principal that goes round the gate', () => {
  const lists = {
    roles: [gateRole, deployRole, role({ name: 'ci', can: [allow('dynamodb:*')] })],
    users: [
      user({ name: 'oncall', can: [allow('sts:AssumeRole', arnOf('role/ci'))] }),
      user({ name: 'reader', can: [allow('dynamodb:Get*')] }),
    ],
  }

  test('is listed; the role behind the gate, the gate and readers are not', () => {
    const { audit } = audited(lists, { gate: CONFIGURED })
    expect(audit.rounders.map(({ who }) => who)).toEqual([arnOf('role/ci')])
    expect(audit.principals.find(({ arn }) => arn === DEPLOY)?.behindGate).toBe(true)
    expect(by(audit.findings, DEPLOY)['roles/destroys']?.severity).toBe('note')
  })

  test('a role of the gate that somebody else may assume goes round it, and so does he', () => {
    const open = role({
      name: 'deploy',
      can: [allow('dynamodb:*')],
      trust: [trusts({ AWS: [GATE, arnOf('user/oncall')] })],
    })
    const { audit } = audited({ ...lists, roles: [gateRole, open] }, { gate: CONFIGURED })
    expect(audit.rounders.map(({ who, how }) => [who, how])).toEqual([
      [DEPLOY, 'directly'],
      [arnOf('user/oncall'), 'by role deploy'],
    ])
    expect(by(audit.findings, DEPLOY)['roles/goes-round-the-gate']?.severity).toBe('critical')
  })

  test('who can become the gate goes round it', () => {
    const can = [allow('iam:UpdateAssumeRolePolicy', GATE)]
    const { audit } = audited(
      { roles: [gateRole, deployRole], users: [user({ name: 'x', can })] },
      { gate: CONFIGURED },
    )
    expect(audit.rounders.map(({ who }) => who)).toEqual([arnOf('user/x')])
    expect(by(audit.findings, arnOf('user/x'))['roles/edits-the-gate']?.severity).toBe('critical')
  })

  test('named exceptions stay in the list, as notes', () => {
    const { audit } = audited(lists, { gate: CONFIGURED, except: [arnOf('role/ci')] })
    expect(audit.rounders).toMatchObject([{ who: arnOf('role/ci'), excepted: true }])
    expect(by(audit.findings, arnOf('role/ci'))['roles/goes-round-the-gate']?.severity).toBe('note')
  })

  test('other accounts and whoever has a token are in it', () => {
    const provider = arnOf('oidc-provider/token.actions.githubusercontent.com')
    const trust = [
      trusts({ AWS: '777777777777' }),
      trusts({ Federated: provider }, { Action: 'sts:AssumeRoleWithWebIdentity' }),
    ]
    const { audit } = audited(
      { roles: [role({ name: 'ci', can: [allow('dynamodb:*')], trust })] },
      { gate: CONFIGURED },
    )
    expect(audit.rounders.map(({ who }) => who).sort()).toEqual([
      'account 777777777777',
      arnOf('role/ci'),
      'token.actions.githubusercontent.com',
    ])
  })
})

describe('who can change the gate', () => {
  const editing = (can: Parameters<typeof user>[0]['can'], agents: string[] = []) => {
    const lists = {
      roles: [gateRole, deployRole],
      users: [user({ name: 'x', ...(can && { can }) })],
    }
    const { audit } = audited(lists, { gate: CONFIGURED, agents })
    return by(audit.findings, arnOf('user/x'))['roles/edits-the-gate']
  }
  test.each([
    ['its roles', allow('iam:PutRolePolicy', DEPLOY)],
    ['their trust', allow('iam:UpdateAssumeRolePolicy', arnOf('role/dep*'))],
    ['its policies', allow('iam:CreatePolicyVersion', arnOf('policy/seconder-agent-boundary'))],
    ['its log', allow('s3:DeleteBucket', 'arn:aws:s3:::gate-ledger')],
    ['its log, by everything of S3', allow('s3:*')],
  ])('%s', (_, statement) => {
    const finding = editing([statement])
    expect(finding).toMatchObject({ severity: 'critical', dependsOn: [] })
    expect(JSON.stringify(finding?.fix.policy)).toContain('"Effect":"Deny"')
  })
  test('an administrator whom an SCP holds off becomes one whom it does not', () => {
    const keeper = arnOf('role/keeper')
    const others = { Condition: { ArnNotEquals: { 'aws:PrincipalArn': keeper } } }
    const scp = document(deny('iam:*', DEPLOY, others), deny('iam:*', GATE, others))
    const lists = {
      roles: [gateRole, deployRole, role({ name: 'keeper', can: [allow('iam:PutRolePolicy')] })],
      users: [user({ name: 'root', can: [allow('*')] })],
    }
    const gate = { ...CONFIGURED, protect: [] }
    const { audit } = audited(lists, { gate, organization: organizationOf([scp]) })
    const finding = by(audit.findings, arnOf('user/root'))['roles/edits-the-gate']
    expect(finding?.path.map(({ to }) => to)).toEqual([keeper])
  })
  test('the organization is changed from its management account alone', () => {
    const protect = [{ arn: 'arn:aws:organizations::*:policy/*', what: 'a service control policy' }]
    const lists = { users: [user({ name: 'x', can: [allow('organizations:*')] })] }
    const edits = (organization?: ReturnType<typeof organizationOf>) => {
      const gate = { ...CONFIGURED, roles: [], own: null, protect }
      const { audit } = audited(lists, { gate, ...(organization && { organization }) })
      return by(audit.findings, arnOf('user/x'))['roles/edits-the-gate']
    }
    expect(edits()?.dependsOn).toEqual([
      'that its account manages the organization, or is delegated to',
    ])
    expect(edits(organizationOf([], [], ACCOUNT))).toMatchObject({
      severity: 'critical',
      dependsOn: [],
    })
  })
  test('none of it by something else', () => {
    expect(
      editing([
        allow('iam:PutRolePolicy', arnOf('role/else')),
        allow('s3:DeleteBucket', 'arn:aws:s3:::other'),
        allow(['iam:Get*', 's3:Get*']),
      ]),
    ).toBe(undefined)
  })
  test('under a condition it may, and of an agent that is as grave', () => {
    const statement = allow('iam:PutRolePolicy', DEPLOY, {
      Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    })
    expect(editing([statement])).toMatchObject({ severity: 'high', dependsOn: ['aws:sourceip'] })
    expect(editing([statement], ['x'])?.severity).toBe('critical')
  })
})

describe('H8 the environments that a role reaches', () => {
  const two: GateFacts['environments'] = [
    { name: 'development', accounts: [ACCOUNT], mode: 'enforce' },
    { name: 'production', accounts: [OTHER], mode: 'enforce' },
  ]
  const there = role({
    name: 'there',
    account: OTHER,
    can: [allow('rds:*')],
    trust: [trusts({ AWS: ACCOUNT })],
  })
  const lambda = [trusts({ Service: 'lambda.amazonaws.com' })]
  const reachOf = (roles: readonly object[]) =>
    audited({ roles }, { gate: { ...CONFIGURED, environments: two, roles: [], protect: [] } }).reach
      ?.roles

  test('through compute, builds, schedulers and other accounts', () => {
    const reach = reachOf([
      there,
      role({ name: 'dev', can: [allow('dynamodb:*')] }),
      role({
        name: 'wide',
        can: [allow('sts:AssumeRole', arnOf('role/there', OTHER))],
        trust: lambda,
      }),
      role({
        name: 'builds',
        can: [allow(['lambda:UpdateFunctionCode', 'lambda:InvokeFunction'])],
      }),
      role({ name: 'schedules', can: [allow(['iam:PassRole', 'scheduler:CreateSchedule'])] }),
      role({
        name: 'wide2',
        can: [allow('sts:AssumeRole', '*')],
        trust: [trusts({ Service: 'scheduler.amazonaws.com' })],
      }),
      role({ name: 'reads', can: [allow('s3:Get*')] }),
    ])
    expect(reach).toEqual({
      [arnOf('role/there', OTHER)]: { environments: ['production'] },
      [arnOf('role/dev')]: { environments: ['development'] },
      [arnOf('role/wide')]: { environments: ['production'] },
      [arnOf('role/builds')]: { environments: ['production', 'development'] },
      [arnOf('role/schedules')]: { environments: ['production', 'development'] },
      [arnOf('role/wide2')]: { environments: ['production'] },
      [arnOf('role/reads')]: { environments: [] },
    })
  })

  test('an account without an export is reached by whoever may assume roles there', () => {
    const reach = reachOf([
      role({ name: 'a', can: [allow('sts:AssumeRole', '*')] }),
      role({ name: 'b', can: [allow('sts:AssumeRole', arnOf('role/x', OTHER))] }),
      role({ name: 'c', can: [allow('sts:AssumeRole', arnOf('role/x'))] }),
    ])
    expect(reach).toEqual({
      [arnOf('role/a')]: { environments: ['production'] },
      [arnOf('role/b')]: { environments: ['production'] },
      [arnOf('role/c')]: { environments: [] },
    })
  })

  test('a queue of another account that its policy names is reached; whether it lets it, nobody sees', () => {
    const queue = `arn:aws:sqs:eu-west-1:${OTHER}:orders`
    const reach = reachOf([
      there,
      role({ name: 'writes', can: [allow('sqs:DeleteQueue', queue)] }),
      role({ name: 'looks', can: [allow('sqs:ListQueueTags', queue)] }),
    ])
    expect(reach?.[arnOf('role/writes')]?.environments).toContain('production')
    expect(reach?.[arnOf('role/looks')]).toEqual({ environments: [] })
  })

  test('a role that could not be read is not in it, and counts as production at the gate', () => {
    const roles = [
      role({ name: 'odd', attached: [arnOf('policy/gone')] }),
      role({ name: 'dev', can: [allow('dynamodb:*')] }),
    ]
    expect(Object.keys(reachOf(roles) ?? {})).toEqual([arnOf('role/dev')])
  })
})

describe('whom an account does not hold', () => {
  test('an administrator of one account becomes him whom another account lets in', () => {
    const there = (trust: Parameters<typeof trusts>[0]) =>
      role({ name: 'there', account: OTHER, can: [allow('rds:*')], trust: [trusts(trust)] })
    const deployer = role({
      name: 'ci',
      can: [allow('sts:AssumeRole', arnOf('role/there', OTHER))],
    })
    const lists = {
      users: [
        user({ name: 'root', can: [allow('*')] }),
        user({ name: 'x', can: [allow('iam:PutUserPolicy')] }),
      ],
      roles: [there({ AWS: arnOf('role/ci') }), deployer],
    }
    const { audit } = audited(lists)
    for (const name of ['root', 'x']) {
      const finding = by(audit.findings, arnOf(`user/${name}`))['roles/reaches-destruction']
      expect(finding?.path.at(-1)?.to).toBe(arnOf('role/there', OTHER))
    }
    const shut = audited({
      ...lists,
      roles: [there({ Service: 'x.amazonaws.com' }), deployer],
    }).audit
    expect(by(shut.findings, arnOf('user/root'))['roles/reaches-destruction']).toBe(undefined)
  })

  test('one who may rule under a condition and widens himself without one is both', () => {
    const mfa = { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }
    const can = [allow('*', '*', mfa), allow('iam:PutUserPolicy')]
    const { audit } = audited({ users: [user({ name: 'x', can })] })
    const found = by(audit.findings, arnOf('user/x'))
    expect(found['roles/rules-account']).toMatchObject({ severity: 'medium' })
    expect(found['roles/escalates-to-admin']).toMatchObject({ severity: 'critical', dependsOn: [] })
  })
})

describe('fixes hold', () => {
  test('with the deny of a finding the way is closed', () => {
    const can = [allow(['iam:PutUserPolicy', 'iam:CreateAccessKey', 'iam:PassRole', 'lambda:*'])]
    const admin = { can: [allow('*')] }
    const lists = (more: Parameters<typeof user>[0]['can'] = []) => ({
      users: [user({ name: 'x', can: [...can, ...more] }), user({ name: 'root', ...admin })],
      roles: [role({ name: 'f', ...admin, trust: [trusts({ Service: 'lambda.amazonaws.com' })] })],
    })
    const before = by(audited(lists()).audit.findings, arnOf('user/x'))['roles/escalates-to-admin']
    expect(before?.fix.words).not.toContain('SCP')
    const policy = before?.fix.policy as
      | { Statement: Parameters<typeof user>[0]['can'] }
      | undefined
    const Statement = policy?.Statement
    const after = by(audited(lists(Statement)).audit.findings, arnOf('user/x'))
    expect(after['roles/escalates-to-admin']).toBe(undefined)
  })

  test('a name from an export is one word of the shell', () => {
    const name = "x'; rm -rf ~; '"
    const { audit } = audited({ users: [user({ name, can: [allow('iam:PutUserPolicy')] })] })
    const [finding] = audit.findings
    expect(finding?.fix.command).toContain(`--user-name 'x'\\''; rm -rf ~; '\\'''`)
  })
})

test('agents come first, the graver before the less grave', () => {
  const lists = {
    users: [
      user({ name: 'a', can: [allow('iam:PutUserPolicy')] }),
      user({ name: 'b', can: [allow('dynamodb:DeleteTable')] }),
    ],
    roles: [role({ name: 'agent-x', can: [allow('iam:PutRolePolicy')] })],
    policies: [managed(arnOf('policy/p'), document(allow('*')))],
  }
  const { audit } = audited(lists, { agents: ['agent-*'] })
  const widening = audit.findings.filter(({ rule }) => rule === 'roles/escalates-to-admin')
  expect(audit.findings[0]?.subject).toBe(arnOf('role/agent-x'))
  expect(widening.map(({ subject }) => subject)).toEqual([arnOf('role/agent-x'), arnOf('user/a')])
  expect(audit.principals[0]?.arn).toBe(arnOf('role/agent-x'))
  const order = audit.findings.map(({ severity }) => severity)
  expect(order).toEqual(
    [...order].sort(
      (a, b) =>
        ['critical', 'high', 'medium', 'low', 'note'].indexOf(a) -
        ['critical', 'high', 'medium', 'low', 'note'].indexOf(b),
    ),
  )
})

test('a service-linked role is nobody whom anybody could be', () => {
  const roles = [
    role({
      name: 'AWSServiceRoleForX',
      path: '/aws-service-role/x.amazonaws.com/',
      can: [allow('*')],
      trust: [trusts({ Service: 'x.amazonaws.com' })],
    }),
  ]
  const { audit } = audited({ roles }, { gate: CONFIGURED })
  expect([audit.findings, audit.rounders]).toEqual([[], []])
})
