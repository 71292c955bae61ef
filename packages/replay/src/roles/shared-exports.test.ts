// The two published exports, against a reader that shares nothing with the audit: plain matching of names,
// and what pathfinding.cloud says that a path needs. Whom a path certainly reaches must be found; whoever is
// denied must not. Skipped, in words, where the shared data is not beside the repository.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { auditOf } from './audit.ts'
import { NOW } from './estate.fixture.ts'
import { NO_GATE } from './gate.ts'
import { readEstate } from './read-estate.ts'

const SHARED = join(import.meta.dirname, '../../../../../shared/data')
const PATHS = join(SHARED, 'privesc/pathfinding-paths.json')
const FILES = ['cloudsplaining-example.json', 'cloudsplaining-example-authz-details.json'].map(
  (name) => join(SHARED, 'iam', name),
)
const isThere = existsSync(PATHS) && FILES.every((file) => existsSync(file))

type Document = { Statement: Statement | Statement[] }
interface Statement {
  Effect: string
  Action?: string | string[]
  NotAction?: string | string[]
  Resource?: string | string[]
  Condition?: object
  Principal?: { Service?: string | string[] }
}
interface Principal {
  Arn: string
  UserName?: string
  GroupList?: string[]
  UserPolicyList?: { PolicyDocument: Document }[]
  RolePolicyList?: { PolicyDocument: Document }[]
  GroupPolicyList?: { PolicyDocument: Document }[]
  AttachedManagedPolicies: { PolicyArn: string }[]
  AssumeRolePolicyDocument?: Document
  InstanceProfileList?: object[]
}
interface Export {
  UserDetailList: Principal[]
  RoleDetailList: Principal[]
  GroupDetailList: (Principal & { GroupName: string })[]
  Policies: {
    Arn: string
    PolicyVersionList: { IsDefaultVersion: boolean; Document: Document }[]
  }[]
}

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
const matches = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  ).test(text)

/** Statements of a principal, its groups' included. */
function statementsOf(file: Export, principal: Principal): Statement[] {
  const account = principal.Arn.split(':')[4]
  const groups = list(principal.GroupList).flatMap((name) =>
    file.GroupDetailList.filter(
      (each) => each.GroupName === name && each.Arn.split(':')[4] === account,
    ),
  )
  const documents = [principal, ...groups].flatMap((each) => [
    ...[
      ...list(each.UserPolicyList),
      ...list(each.RolePolicyList),
      ...list(each.GroupPolicyList),
    ].map((one) => one.PolicyDocument),
    ...each.AttachedManagedPolicies.flatMap(({ PolicyArn }) =>
      file.Policies.filter(({ Arn }) => Arn === PolicyArn).flatMap(({ PolicyVersionList }) =>
        PolicyVersionList.filter((version) => version.IsDefaultVersion).map(
          (version) => version.Document,
        ),
      ),
    ),
  ])
  return documents.flatMap(({ Statement }) => list(Statement))
}

const names = ({ Action, NotAction }: Statement, action: string) =>
  Action === undefined
    ? !list(NotAction).some((pattern) => matches(pattern, action))
    : list(Action).some((pattern) => matches(pattern, action))

/** Allowed on everything without a condition, and denied nowhere. */
function plainlyMay(statements: readonly Statement[], action: string): boolean {
  const isAllowed = statements.some(
    (each) =>
      each.Effect === 'Allow' &&
      each.Condition === undefined &&
      names(each, action) &&
      list(each.Resource).includes('*'),
  )
  return isAllowed && !statements.some((each) => each.Effect === 'Deny' && names(each, action))
}

interface Published {
  id: string
  category: string
  permissions: { required: { permission: string }[] }
  prerequisites: { lateral?: string[]; admin?: string[] } | string[]
}

const published = isThere ? (JSON.parse(readFileSync(PATHS, 'utf8')) as Published[]) : []

/** Services that the role of a path must trust, as its prerequisites or its actions name them. */
function servicesOf({ id, prerequisites }: Published): string[] {
  const words = JSON.stringify(prerequisites)
  const named = [...words.matchAll(/[a-z0-9.-]+\.amazonaws\.com/g)].map(([name]) => name)
  if (named.length > 0) return named
  const [service = ''] = id.split('-')
  const machine = ['ec2', 'ec2instanceconnect', 'ssm'].includes(service)
  return [
    machine
      ? 'ec2.amazonaws.com'
      : `${service === 'apprunner' ? 'tasks.apprunner' : service}.amazonaws.com`,
  ]
}

function isTrusted(role: Principal, services: readonly string[]): boolean {
  return list(role.AssumeRolePolicyDocument?.Statement).some((each) =>
    list(each.Principal?.Service).some((name) => services.includes(name)),
  )
}

/** Whether the path certainly leads somewhere for the principal, by plain reading. */
function leads(file: Export, principal: Principal, path: Published): boolean {
  const isUser = principal.UserName !== undefined
  const account = principal.Arn.split(':')[4]
  const own = (each: Principal) => each.Arn.split(':')[4] === account && each.Arn !== principal.Arn
  const roles = file.RoleDetailList.filter(
    (each) => own(each) && !each.Arn.includes(':role/aws-service-role/'),
  )
  const customers = (each: Principal) =>
    each.AttachedManagedPolicies.some(({ PolicyArn }) => !PolicyArn.includes(':iam::aws:'))
  if (path.category.endsWith('passrole')) {
    const machine = /^(ec2|ec2instanceconnect|ssm)-/.test(path.id)
    return roles.some(
      (each) =>
        isTrusted(each, servicesOf(path)) &&
        (!machine || list(each.InstanceProfileList).length > 0),
    )
  }
  switch (path.id) {
    case 'iam-001':
      return customers(principal)
    case 'iam-005':
    case 'iam-009':
      return !isUser
    case 'iam-007':
    case 'iam-008':
      return isUser
    case 'iam-010':
    case 'iam-011':
      return isUser && list(principal.GroupList).length > 0
    case 'iam-013':
      return (
        isUser &&
        file.GroupDetailList.some(
          (each) =>
            each.Arn.split(':')[4] === account &&
            !list(principal.GroupList).includes(each.GroupName),
        )
      )
    case 'iam-002':
    case 'iam-003':
    case 'iam-004':
    case 'iam-006':
    case 'iam-015':
    case 'iam-018':
      return file.UserDetailList.some(own)
    case 'iam-012':
    case 'iam-019':
    case 'iam-021':
      return roles.length > 0
    case 'iam-020':
      return roles.some(customers)
    default:
      // Those that need a trust naming the principal are held by the tests of each path.
      return false
  }
}

test.skipIf(!isThere)(
  'every principal whom a path reaches is found (skipped without the shared data)',
  () => {
    for (const name of FILES) {
      const bytes = readFileSync(name)
      const file = JSON.parse(bytes.toString('utf8')) as Export
      const { audit } = auditOf({
        estate: readEstate([{ name, bytes }]),
        organization: null,
        gate: NO_GATE,
        isAgent: () => false,
        isExcepted: () => false,
        now: NOW,
      })
      expect(audit.whole).toBe(true)
      let reached = 0
      for (const principal of [...file.UserDetailList, ...file.RoleDetailList]) {
        const row = audit.principals.find(({ arn }) => arn === principal.Arn)
        const statements = statementsOf(file, principal)
        const wanted = published
          .filter((path) =>
            path.permissions.required.every(({ permission }) => plainlyMay(statements, permission)),
          )
          .filter((path) => leads(file, principal, path))
          .map(({ id }) => id)
        reached += wanted.length
        // An administrator needs no path; that he is one is found.
        if (row?.rules === 'yes') continue
        expect([principal.Arn, wanted.filter((id) => !row?.rows.includes(id))]).toEqual([
          principal.Arn,
          [],
        ])
        // And no path leads through a deny: each needs all that is published, allowed on something at least.
        const may = (action: string) =>
          statements.some((each) => each.Effect === 'Allow' && names(each, action)) &&
          !statements.some(
            (each) =>
              each.Effect === 'Deny' &&
              names(each, action) &&
              list(each.Resource).includes('*') &&
              each.Condition === undefined,
          )
        for (const id of row?.rows ?? []) {
          const path = published.find((each) => each.id === id)
          const needed = path?.permissions.required.map(({ permission }) => permission) ?? []
          const open = needed.filter(
            (action) => !/^(sts:AssumeRole|ec2:DescribeInstances)$/.test(action),
          )
          expect([principal.Arn, id, open.filter((action) => !may(action))]).toEqual([
            principal.Arn,
            id,
            [],
          ])
        }
      }
      expect(reached).toBeGreaterThan(0)
    }
  },
)

test.skipIf(!isThere)(
  'of the published lab: those made to be exploited are found, those made not to be are not',
  () => {
    const [name = ''] = FILES
    const { audit } = auditOf({
      estate: readEstate([{ name, bytes: readFileSync(name) }]),
      organization: null,
      gate: NO_GATE,
      isAgent: () => false,
      isExcepted: () => false,
      now: NOW,
    })
    const lab = audit.principals.filter(({ name: each }) => /^(fp|fn)\d/.test(each))
    const found = (prefix: string) => lab.filter(({ name: each }) => each.startsWith(prefix))
    for (const row of found('fp'))
      expect([row.name, row.reachesAdmin, row.rules, row.rows]).toEqual([row.name, 'no', 'no', []])
    for (const row of found('fn')) expect([row.name, row.reachesAdmin]).toEqual([row.name, 'yes'])
    expect([found('fp').length, found('fn').length]).toEqual([10, 8])
  },
)
