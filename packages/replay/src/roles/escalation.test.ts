// Each of the paths: with exactly what it needs the principal gets there, and no boundary, deny or SCP lets
// it through. What a path needs is taken from pathfinding.cloud where the shared data is there, else from
// the rows; who must be reached is stated here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '@seconder/aws/call'
import { describe, expect, test } from 'vitest'
import {
  ACCOUNT,
  allow,
  arnOf,
  deny,
  document,
  graphOf,
  group,
  type Lists,
  type Made,
  managed,
  OTHER,
  organizationOf,
  role,
  trusts,
  user,
} from './estate.fixture.ts'
import { EXISTING } from './existing-rows.ts'
import { FURTHER_EXISTING, FURTHER_LENDING } from './further-rows.ts'
import { SELF, TAKING } from './identity-rows.ts'
import { LENDING } from './lending-rows.ts'
import type { Organization } from './organization.ts'

const PUBLISHED = join(
  import.meta.dirname,
  '../../../../../shared/data/privesc/pathfinding-paths.json',
)
const OWN_POLICY = arnOf('policy/own')
const ADMIN_POLICY = arnOf('policy/all')
const TRUSTING = 'iam:UpdateAssumeRolePolicy'
const LENT = [...LENDING, ...EXISTING]

/** The principal of the path, and what else must be there. */
interface Scene {
  readonly actions: readonly string[]
  readonly lists: (made: Omit<Made, 'name'>) => Lists
  readonly start: string
  /** Node that must be reached. */
  readonly end: string
}

const me = (kind: 'user' | 'role', made: Omit<Made, 'name'>): Lists =>
  kind === 'user'
    ? { users: [user({ name: 'me', ...made })] }
    : { roles: [role({ name: 'me', ...made })] }

function sceneOf(id: string): Scene {
  const lent = [...LENT, ...FURTHER_LENDING, ...FURTHER_EXISTING].find((row) => row.id === id)
  if (lent) {
    const target = role({
      name: 'target',
      can: [allow('*')],
      trust: [trusts({ Service: lent.services[0] ?? '' })],
      profile: true,
    })
    return {
      actions: lent.kind === 'lend' ? ['iam:PassRole', ...lent.actions] : lent.actions,
      lists: (made) => ({ users: [user({ name: 'me', ...made })], roles: [target] }),
      start: arnOf('user/me'),
      end: arnOf('role/target'),
    }
  }
  const self = SELF.find((row) => row.id === id)
  if (self) {
    const [kind = 'user'] = self.of
    const groups = [group({ name: 'mine' }), group({ name: 'admins', can: [allow('*')] })]
    const more = self.on === 'own-group' ? { groups: ['mine'] } : { attached: [OWN_POLICY] }
    const gained = self.gives === 'group' ? ' + group admins' : ' + any policy'
    return {
      actions: [self.action],
      lists: (made) => ({
        groups,
        policies: [managed(OWN_POLICY, document(allow('s3:ListBucket')), document(allow('*')))],
        ...me(kind, { ...made, ...more }),
      }),
      start: arnOf(`${kind}/me`),
      end: `${arnOf(`${kind}/me`)}${gained}`,
    }
  }
  const taking = TAKING.find((row) => row.id === id)
  if (!taking) throw new Error(`no row ${id}`)
  const actions = taking.steps.flatMap((step) => ('action' in step ? [step.action] : []))
  const isAs = taking.as === 'any-policy'
  const made: Made = {
    name: 'target',
    can: isAs ? [] : [allow('*')],
    attached: isAs ? [OWN_POLICY] : [],
    trust: [
      trusts(
        taking.steps.some(({ on }) => on === 'trust')
          ? { AWS: arnOf('root') }
          : { Service: 'x.amazonaws.com' },
      ),
    ],
  }
  const target = taking.target === 'user' ? { users: [user(made)] } : { roles: [role(made)] }
  return {
    actions: taking.target === 'role' ? [...actions, 'sts:AssumeRole'] : actions,
    lists: (more) => ({
      policies: [managed(OWN_POLICY, document(allow('s3:ListBucket')))],
      users: [user({ name: 'me', ...more }), ...(target.users ?? [])],
      roles: target.roles ?? [],
    }),
    start: arnOf('user/me'),
    end: `${arnOf(`${taking.target}/target`)}${isAs ? ' + any policy' : ''}`,
  }
}

const withPolicies = (lists: Lists, policies: readonly object[]): Lists => ({
  ...lists,
  policies: [...(lists.policies ?? []), ...policies],
})

const boundary = arnOf('policy/boundary')
const bounded = managed(boundary, document(allow(['s3:*', 'cloudwatch:*'])))

const IDS = [...LENT, ...SELF, ...TAKING, ...FURTHER_LENDING, ...FURTHER_EXISTING].map(
  ({ id }) => id,
)

describe.each(IDS.filter((id) => !id.endsWith('-boundary')))('%s', (id) => {
  const scene = sceneOf(id)
  const reached = (lists: Lists, organization: Organization | null = null) => {
    const { graph, node } = graphOf(lists, organization)
    return graph.edges(node(scene.start)).find(({ to }) => to.id === scene.end)
  }

  test('is found with exactly what it needs', () => {
    expect(reached(scene.lists({ can: [allow(scene.actions)] }))?.rows).toContain(id)
  })

  test('is not there where one action is missing, or denied', () => {
    for (const action of scene.actions) {
      const others = scene.actions.filter((each) => each !== action)
      const rows = (lists: Lists) => reached(lists)?.rows ?? []
      const missing = rows(scene.lists({ can: [allow(['s3:ListBucket', ...others])] }))
      // Whom a trust of the same account names by ARN needs no permission of its own.
      const isNamed = action === 'sts:AssumeRole' && scene.actions.includes(TRUSTING)
      if (!isNamed) expect(missing).not.toContain(id)
      expect(rows(scene.lists({ can: [allow(scene.actions), deny(action)] }))).not.toContain(id)
    }
  })

  test('does not lead through a boundary or an SCP', () => {
    const lists = withPolicies(scene.lists({ can: [allow(scene.actions)], boundary }), [bounded])
    expect(reached(lists)).toBe(undefined)
    const scp = organizationOf([document(deny(scene.actions[0] ?? ''))])
    const rows = reached(scene.lists({ can: [allow(scene.actions)] }), scp)?.rows ?? []
    expect(rows).not.toContain(id)
  })
})

test.skipIf(!existsSync(PUBLISHED))(
  'the rows are the published paths, and need what those need (skipped without the shared data)',
  () => {
    const published = JSON.parse(readFileSync(PUBLISHED, 'utf8')) as {
      id: string
      permissions: { required: { permission: string }[] }
    }[]
    const own = [...LENT, ...SELF, ...TAKING].filter(({ id }) => !id.startsWith('seconder-'))
    expect(own.map(({ id }) => id).sort()).toEqual(published.map(({ id }) => id).sort())
    // A trust that names the principal needs no permission; looking for an instance is no step.
    const notNeeded = new Set(['sts:AssumeRole', 'ec2:DescribeInstances'])
    for (const { id, permissions } of published) {
      const wanted = permissions.required.map(({ permission }) => permission)
      const without = (list: readonly string[]) =>
        list.filter((each) => !notNeeded.has(each)).sort()
      expect([id, without(sceneOf(id).actions)]).toEqual([id, without(wanted)])
    }
  },
)

describe('conditions are read as IAM would', () => {
  const lambda = role({
    name: 'target',
    can: [allow('*')],
    trust: [trusts({ Service: 'lambda.amazonaws.com' })],
  })
  const wants = ['lambda:CreateFunction', 'lambda:InvokeFunction']
  const wayOf = (lists: Lists, end = arnOf('role/target')) =>
    [...graphOf(lists).ways(arnOf('user/me'))].find(([node]) => node.id === end)?.[1]

  test.each([
    [{ StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }, 'yes'],
    [{ StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }, undefined],
    [{ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }, 'yes'],
    [{ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }, 'unknown'],
    [{ DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, undefined],
  ])('PassRole under %o: %s', (condition, truth) => {
    const way = wayOf({
      users: [
        user({
          name: 'me',
          can: [allow(wants), allow('iam:PassRole', '*', { Condition: condition })],
        }),
      ],
      roles: [lambda],
    })
    expect(way?.truth).toBe(truth)
    if (truth === 'unknown') {
      expect(way?.edges[0]?.dependsOn).toEqual(['aws:multifactorauthpresent'])
    }
  })

  test('PassRole of one role is no PassRole of another', () => {
    const can = [allow(wants), allow('iam:PassRole', arnOf('role/harmless'))]
    expect(wayOf({ users: [user({ name: 'me', can })], roles: [lambda] })).toBe(undefined)
  })

  test('delegated administration with a boundary: only what has that boundary can be widened', () => {
    const guard = { StringEquals: { 'iam:PermissionsBoundary': boundary } }
    const can = [
      allow(['iam:PutRolePolicy', 'sts:AssumeRole'], '*'),
      deny('iam:PutRolePolicy', '*', { Condition: { StringNotEquals: guard.StringEquals } }),
    ]
    const trust = [trusts({ AWS: arnOf('root') })]
    const lists = {
      users: [user({ name: 'me', can })],
      roles: [role({ name: 'free', trust }), role({ name: 'bounded', trust, boundary })],
      policies: [bounded],
    }
    expect(wayOf(lists, `${arnOf('role/free')} + any policy`)).toBe(undefined)
    expect(wayOf(lists, `${arnOf('role/bounded')} + any policy`)?.truth).toBe('yes')
  })

  test('AttachUserPolicy that may attach one harmless policy gives nothing', () => {
    const only = (arn: string) => ({ Condition: { ArnEquals: { 'iam:PolicyARN': arn } } })
    const end = `${arnOf('user/me')} + any policy`
    const harmless = [
      allow('iam:AttachUserPolicy', '*', only('arn:aws:iam::aws:policy/ReadOnlyAccess')),
    ]
    expect(wayOf({ users: [user({ name: 'me', can: harmless })] }, end)).toBe(undefined)
    const wide = [allow('iam:AttachUserPolicy', '*', only(ADMIN_POLICY))]
    const policies = [managed(ADMIN_POLICY, document(allow('*')))]
    expect(wayOf({ users: [user({ name: 'me', can: wide })], policies }, end)?.truth).toBe('yes')
  })
})

describe('ways of several steps', () => {
  test('a chain of roles, and a boundary that its first step takes off', () => {
    const trust = (name: string) => [trusts({ AWS: arnOf(name) })]
    const { graph, ways } = graphOf({
      users: [user({ name: 'me' })],
      roles: [
        role({ name: 'a', trust: trust('user/me') }),
        role({ name: 'b', trust: trust('role/a'), boundary, can: [allow('*')] }),
      ],
      policies: [managed(boundary, document(allow('iam:DeleteRolePermissionsBoundary')))],
    })
    const found = [...ways(arnOf('user/me')).values()]
    expect(found.map(({ to }) => to.id)).toEqual([
      arnOf('user/me'),
      arnOf('role/a'),
      arnOf('role/b'),
      `${arnOf('role/b')} + no boundary`,
    ])
    expect(found.map(({ to }) => graph.rules(to))).toEqual(['no', 'no', 'no', 'yes'])
    expect(found.at(-1)?.edges.map(({ rows }) => rows[0])).toEqual([
      'sts-001',
      'sts-001',
      'seconder-role-boundary',
    ])
  })

  test('across accounts both sides must allow', () => {
    const there = (trust: object) =>
      role({ name: 'there', account: OTHER, can: [allow('*')], trust: [trusts(trust as never)] })
    const end = arnOf('role/there', OTHER)
    const from = (can: readonly ReturnType<typeof allow>[], trust: object) =>
      [
        ...graphOf({ users: [user({ name: 'me', can })], roles: [there(trust)] }).ways(
          arnOf('user/me'),
        ),
      ].some(([node]) => node.id === end)
    expect(from([allow('sts:AssumeRole', end)], { AWS: ACCOUNT })).toBe(true)
    expect(from([], { AWS: arnOf('user/me') })).toBe(false)
    expect(from([allow('sts:AssumeRole', end)], { AWS: arnOf('user/else') })).toBe(false)
  })

  test('groups stand under their path, and a policy may name them by it', () => {
    const lists = (arn: string) => ({
      users: [user({ name: 'me', groups: ['ops'], can: [allow('iam:PutGroupPolicy', arn)] })],
      groups: [group({ name: 'ops', path: '/team/' })],
    })
    const widened = (arn: string) =>
      [...graphOf(lists(arn)).ways(arnOf('user/me')).keys()]
        .map(({ id }) => id)
        .includes(`${arnOf('user/me')} + any policy`)
    expect(widened(arnOf('group/team/ops'))).toBe(true)
    expect(widened(arnOf('group/ops'))).toBe(false)
  })

  test('no role that lets somebody in is left out by looking at names first', () => {
    const named: Json[] = [
      '*',
      { AWS: '*' },
      { AWS: ACCOUNT },
      { AWS: arnOf('root') },
      { AWS: arnOf('role/me') },
      { AWS: [arnOf('user/else'), `arn:aws:sts::${ACCOUNT}:assumed-role/me/session`] },
      { CanonicalUser: 'a'.repeat(64) },
    ]
    const roles = [
      role({ name: 'me', can: [allow('sts:AssumeRole')] }),
      ...named.map((principal, index) => role({ name: `r${index}`, trust: [trusts(principal)] })),
      role({
        name: 'not',
        trust: [
          { Effect: 'Allow', NotPrincipal: { AWS: arnOf('user/else') }, Action: 'sts:AssumeRole' },
        ],
      }),
    ]
    const found = [...graphOf({ roles }).ways(arnOf('role/me')).keys()].map(
      ({ id }) => id.split('/')[1],
    )
    expect(found).toEqual(
      expect.arrayContaining(['me', 'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'not']),
    )
  })

  test('loops end', () => {
    const both = [trusts({ AWS: [arnOf('role/a'), arnOf('role/b')] })]
    const { ways } = graphOf({
      roles: [role({ name: 'a', trust: both }), role({ name: 'b', trust: both })],
    })
    expect(ways(arnOf('role/a')).size).toBe(2)
  })
})
