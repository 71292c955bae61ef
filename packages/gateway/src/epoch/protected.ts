// Makes the list of what the gate stands on (red team M13): its own identity as STS named it, every role
// that it lends, what is the same in every account, and what the operator names under `protect:`. The list
// is part of the epoch, so that it changes by two signatures only.
import type { Config } from '../config.ts'
import type { ProtectedRow } from '../describe/guarded.ts'

/** The rows for a configuration; `own` is the gate's own ARN, null where nobody could be asked. */
export function protectedRows(config: Config, own: string | null): ProtectedRow[] {
  const rows = [
    ...(own === null ? [] : ownRows(own)),
    ...Object.entries(config.roles).map(([name, { arn }]) => ({ arn, what: `the role ${name}` })),
    ...madeRows(config),
    ...providerRows(config),
    ...(config.protect ?? []).flatMap((arn) =>
      withContent(arn).map((pattern) => ({ arn: pattern, what: 'named under `protect:`' })),
    ),
  ]
  return [...new Map(rows.map((row) => [row.arn, row])).values()]
}

/** Accounts that are the operator's own, or that the configuration trusts (red team M8). */
export function ownAccounts(config: Config, own: string | null): string[] {
  const named = [
    ...config.environments.flatMap(({ accounts }) => accounts),
    ...Object.values(config.roles).map(({ arn }) => arn.split(':')[4] ?? ''),
    own?.split(':')[4] ?? '',
    ...(config.trustedAccounts ?? []),
  ]
  return [...new Set(named)].filter((text) => /^\d{12}$/.test(text)).sort()
}

/**
 * What GetCallerIdentity names. The ARN of a role's session holds no path, so any path may be meant; a
 * session of an instance's role is named like the instance.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-infotouse
 */
function ownRows(own: string): ProtectedRow[] {
  const [, partition = 'aws', , , account = '', resource = ''] = own.split(':')
  const iam = `arn:${partition}:iam::${account}`
  const [kind = '', name = '', session = ''] = resource.split('/')
  if (kind === 'assumed-role') {
    const rows = [`${iam}:role/${name}`, `${iam}:role/*/${name}`].map((arn) => ({
      arn,
      what: "the gate's own role",
    }))
    if (!/^i-[0-9a-f]+$/.test(session)) return rows
    const instance = `arn:${partition}:ec2:*:${account}:instance/${session}`
    return [
      ...rows,
      { arn: `${iam}:instance-profile/*`, what: "may hold the gate's own role" },
      { arn: instance, what: "the gate's own instance" },
    ]
  }
  if (kind === 'user') return [{ arn: own, what: "the gate's own user" }]
  // The root user, a federated one: whatever its account may do, the gate may.
  return [{ arn: `${iam}:*`, what: "may be the gate's own identity" }]
}

/** What `seconder init aws` makes, in every account: its policies, and the guard rails above the accounts. */
function madeRows(config: Config): ProtectedRow[] {
  const accounts = new Map<string, string>()
  for (const { arn } of Object.values(config.roles)) {
    const [, partition = 'aws', , , account = ''] = arn.split(':')
    accounts.set(account, partition)
  }
  const rows = [...accounts].map(([account, partition]) => ({
    arn: `arn:${partition}:iam::${account}:policy/seconder-*`,
    what: 'made by seconder init aws',
  }))
  const rails = [...new Set(accounts.values())].map((partition) => ({
    arn: `arn:${partition}:organizations::*:policy/*`,
    what: 'a service control policy',
  }))
  return [...rows, ...rails]
}

/** Who may become the gate by a token, where it becomes itself by one. */
function providerRows({ upstream }: Config): ProtectedRow[] {
  const { credentials } = upstream
  if (!('from' in credentials) || credentials.from !== 'web-identity') return []
  const [, partition = 'aws', , , account = ''] = credentials.roleArn.split(':')
  return [
    { arn: credentials.roleArn, what: "the gate's own role" },
    {
      arn: `arn:${partition}:iam::${account}:oidc-provider/*`,
      what: "may vouch for the gate's own identity",
    },
  ]
}

/** A bucket with all that is in it; anything else as it is. */
function withContent(arn: string): string[] {
  return /^arn:[^:]*:s3:::[^/]+$/.test(arn) ? [arn, `${arn}/*`] : [arn]
}
