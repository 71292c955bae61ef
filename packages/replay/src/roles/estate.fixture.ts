// Short ways for the tests to say an export of IAM, as `aws iam get-account-authorization-details` prints it.
import type { Json } from '@seconder/aws/call'
import { auditOf } from './audit.ts'
import { type GateFacts, NO_GATE } from './gate.ts'
import { Graph, type Node, waysFrom } from './graph.ts'
import { matcherOf } from './matcher.ts'
import { type Organization, readOrganization } from './organization.ts'
import { readEstate } from './read-estate.ts'
import { subjectsOf } from './subject.ts'

export const ACCOUNT = '111122223333'
export const OTHER = '444455556666'
export const NOW = '2026-11-26T00:00:00Z'

type Statement = Readonly<Record<string, Json>>

export function allow(actions: string | readonly string[], resource = '*', more = {}): Statement {
  return { Effect: 'Allow', Action: actions as Json, Resource: resource, ...more }
}

export function deny(actions: string | readonly string[], resource = '*', more = {}): Statement {
  return { ...allow(actions, resource, more), Effect: 'Deny' }
}

export function document(...statements: Statement[]): Json {
  return { Version: '2012-10-17', Statement: statements }
}

export const arnOf = (rest: string, account = ACCOUNT): string => `arn:aws:iam::${account}:${rest}`

export interface Made {
  readonly name: string
  readonly account?: string
  /** One inline policy of these. */
  readonly can?: readonly Statement[]
  readonly attached?: readonly string[]
  readonly groups?: readonly string[]
  readonly boundary?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Of a role: statements of its trust. */
  readonly trust?: readonly Statement[]
  readonly profile?: boolean
  readonly path?: string
}

const common = ({ tags, attached = [], boundary }: Made) => ({
  AttachedManagedPolicies: attached.map((arn) => ({
    PolicyName: arn.split('/').at(-1) ?? '',
    PolicyArn: arn,
  })),
  Tags: Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
  ...(boundary && {
    PermissionsBoundary: {
      PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
      PermissionsBoundaryArn: boundary,
    },
  }),
})

const inline = ({ can }: Made) =>
  can === undefined ? [] : [{ PolicyName: 'own', PolicyDocument: document(...can) }]

export function user(made: Made) {
  return {
    Path: '/',
    UserName: made.name,
    Arn: arnOf(`user${made.path ?? '/'}${made.name}`, made.account),
    UserPolicyList: inline(made),
    GroupList: made.groups ?? [],
    ...common(made),
  }
}

export function role(made: Made) {
  const arn = arnOf(`role${made.path ?? '/'}${made.name}`, made.account)
  return {
    Path: '/',
    RoleName: made.name,
    Arn: arn,
    AssumeRolePolicyDocument: document(
      ...(made.trust ?? [trusts({ Service: 'nobody.amazonaws.com' })]),
    ),
    InstanceProfileList: made.profile ? [{ Arn: arn.replace(':role/', ':instance-profile/') }] : [],
    RolePolicyList: inline(made),
    ...common(made),
  }
}

export function trusts(principal: Json, more = {}): Statement {
  return { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...more }
}

export function group(made: Made) {
  return {
    GroupName: made.name,
    Arn: arnOf(`group${made.path ?? '/'}${made.name}`, made.account),
    GroupPolicyList: inline(made),
    ...common(made),
  }
}

export function managed(arn: string, ...versions: readonly Json[]) {
  return {
    PolicyName: arn.split('/').at(-1) ?? '',
    Arn: arn,
    PolicyVersionList: versions.map((Document, index) => ({
      VersionId: `v${versions.length - index}`,
      IsDefaultVersion: index === 0,
      Document,
    })),
  }
}

export interface Lists {
  readonly users?: readonly object[]
  readonly roles?: readonly object[]
  readonly groups?: readonly object[]
  readonly policies?: readonly object[]
}

export function exportOf({ users = [], roles = [], groups = [], policies = [] }: Lists): string {
  return JSON.stringify({
    UserDetailList: users,
    GroupDetailList: groups,
    RoleDetailList: roles,
    Policies: policies,
  })
}

export const estateOf = (lists: Lists, name = 'authz.json') =>
  readEstate([{ name, bytes: Buffer.from(exportOf(lists)) }])

/** An organization whose only account has these SCPs at its root, beside the one that allows all. */
export function organizationOf(
  scps: readonly Json[],
  rcps: readonly Json[] = [],
  management = '999999999999',
): Organization {
  const policies = [
    ...scps.map((Content, index) => ({
      Id: `p-s${index}`,
      Type: 'SERVICE_CONTROL_POLICY',
      Content,
    })),
    ...rcps.map((Content, index) => ({
      Id: `p-r${index}`,
      Type: 'RESOURCE_CONTROL_POLICY',
      Content,
    })),
  ]
  const ids = policies.map(({ Id }) => Id)
  const full = ['p-FullAWSAccess', 'p-RCPFullAWSAccess']
  const file = {
    Id: 'o-1234567890',
    ManagementAccountId: management,
    Policies: policies,
    Targets: [
      { Id: 'r-root', ParentId: null, Policies: [...full, ...ids] },
      { Id: ACCOUNT, ParentId: 'r-root', Policies: full },
    ],
  }
  return readOrganization('org.json', Buffer.from(JSON.stringify(file)))
}

export function graphOf(lists: Lists, organization: Organization | null = null) {
  const subjects = subjectsOf(estateOf(lists), organization, NOW)
  const graph = new Graph(subjects)
  const node = (arn: string): Node => {
    const subject = subjects.byArn.get(arn)
    if (!subject) throw new Error(`no ${arn}`)
    return graph.node(subject)
  }
  return { graph, node, ways: (arn: string) => waysFrom(graph, node(arn)) }
}

export interface Asked {
  readonly gate?: Partial<GateFacts>
  readonly agents?: readonly string[]
  readonly except?: readonly string[]
  readonly organization?: Organization
}

export function audited(
  lists: Lists,
  { gate, agents = [], except = [], organization }: Asked = {},
) {
  const isAgent = matcherOf(agents)
  return auditOf({
    estate: estateOf(lists),
    organization: organization ?? null,
    gate: { ...NO_GATE, ...gate },
    isAgent: (arn, name) => isAgent(arn) || isAgent(name),
    isExcepted: matcherOf(except),
    now: NOW,
  })
}
