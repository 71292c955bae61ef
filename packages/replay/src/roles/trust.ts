// Reads the trust of every role for whom it lets in beyond what somebody meant: everybody, other accounts,
// tokens of any repository, services that act for anybody. What the role can do then sets the severity.

import type { Condition } from '@seconder/aws/iam/condition'
import { ANY, type Unit } from '@seconder/aws/iam/glob'
import type { Policy, Statement } from '@seconder/aws/iam/policy'
import type { Identity } from './estate.ts'
import type { Fix, Severity } from './finding.ts'
import { quoted } from './fixes.ts'
import type { RuleId } from './rules.ts'

/** One thing that is wrong with a trust, before it is known what the role can do. */
export interface TrustFault {
  readonly rule: RuleId
  readonly severity: Severity
  readonly statement: string
  /** Who gets in, for the list of those who go round the gate. */
  readonly who: string
  readonly kind: 'everybody' | 'account' | 'provider' | 'service' | 'own'
  readonly words: string
  readonly fix: Fix
}

export interface TrustRules {
  /** Accounts that are the operator's own or trusted. */
  readonly accounts: ReadonlySet<string>
}

const ASSUMES = ['sts:assumerole', 'sts:assumerolewithwebidentity', 'sts:assumerolewithsaml']

/** Keys that say who asks or for whom a service acts. */
const NARROWING =
  /^aws:(principalorgid|principalorgpaths|principalarn|principalaccount|sourcearn|sourceaccount|sourceorgid|sourceorgpaths|userid|principaltag\/.+)$/

export function trustFaults(role: Identity, trust: Policy, rules: TrustRules): TrustFault[] {
  if (role.serviceLinked) return []
  return trust.statements
    .filter((statement) => statement.effect === 'allow' && mayAssume(statement))
    .flatMap((statement) => faultsOf(role, statement, rules))
}

function mayAssume({ actions }: Statement): boolean {
  return ASSUMES.some(
    (action) => actions.patterns.some((pattern) => pattern.test(action)) !== actions.not,
  )
}

function faultsOf(role: Identity, statement: Statement, rules: TrustRules): TrustFault[] {
  const { principals } = statement
  if (principals === null) return []
  if (principals.not) {
    return [
      {
        ...fault(role, statement, 'roles/trust-not-principal', 'critical'),
        who: 'everybody but a few',
        kind: 'everybody',
        words: 'The trust allows everybody whom its NotPrincipal does not name.',
      },
    ]
  }
  const found: TrustFault[] = []
  if (principals.everybody) found.push(ofEverybody(role, statement))
  for (const name of principals.named.get('AWS') ?? []) {
    const one = ofAws(role, statement, name, rules)
    if (one) found.push(one)
  }
  for (const name of principals.named.get('Federated') ?? []) {
    found.push(...ofProvider(role, statement, name))
  }
  const services = [...(principals.named.get('Service') ?? [])].sort()
  if (services.length > 0 && !isNarrowed(statement)) {
    found.push({
      ...fault(role, statement, 'roles/confused-deputy', 'low'),
      who: services.join(', '),
      kind: 'service',
      words: `The trust lets ${services.join(', ')} in for the resources of anybody: neither aws:SourceAccount nor aws:SourceArn is asked for.`,
      fix: conditionFix(role, 'StringEquals', 'aws:SourceAccount', role.account),
    })
  }
  return found
}

function ofEverybody(role: Identity, statement: Statement): TrustFault {
  const keys = narrowingKeys(statement)
  return {
    ...fault(role, statement, 'roles/trust-everybody', keys.length === 0 ? 'critical' : 'low'),
    who: 'everybody',
    kind: 'everybody',
    words:
      keys.length === 0
        ? 'The trust allows everybody in every account of AWS.'
        : `The trust allows everybody; only its condition on ${keys.join(', ')} holds them off.`,
  }
}

function ofAws(
  role: Identity,
  statement: Statement,
  name: string,
  { accounts }: TrustRules,
): TrustFault | null {
  if (name === '*') return null
  if (/^A[A-Z0-9]{15,}$/.test(name)) {
    return {
      ...fault(role, statement, 'roles/trust-gone-principal', 'note'),
      who: name,
      kind: 'own',
      words: 'The trust names a principal by an id that nobody bears any more.',
    }
  }
  const account = /^\d{12}$/.test(name) ? name : (name.split(':')[4] ?? '')
  const isWhole = name === account || name.endsWith(':root')
  if (account === role.account) {
    if (!isWhole || isNarrowed(statement)) return null
    return {
      ...fault(role, statement, 'roles/trust-whole-account', 'note'),
      who: `account ${account}`,
      kind: 'own',
      words: 'Everybody in the account with sts:AssumeRole on it gets in.',
    }
  }
  if (accounts.has(account)) return null
  const hasExternalId = statement.conditions.some(isFirm('sts:externalid'))
  const isOrganization = statement.conditions.some(isFirm('aws:principalorgid'))
  const severity = hasExternalId || isOrganization ? 'low' : isWhole ? 'high' : 'medium'
  return {
    ...fault(role, statement, 'roles/trust-external', severity),
    who: isWhole ? `account ${account}` : name,
    kind: 'account',
    words: [
      `The trust lets ${isWhole ? 'everybody of account' : 'a principal of account'} ${account} in, which is`,
      `neither in the export nor configured${hasExternalId ? '; it asks' : ', and asks'} for`,
      hasExternalId ? 'an external id.' : 'no external id.',
    ].join(' '),
    fix: conditionFix(
      role,
      'StringEquals',
      'sts:ExternalId',
      'A-LONG-RANDOM-TEXT-AGREED-WITH-THEM',
    ),
  }
}

/** Providers of the public: whoever has an account there has a token. */
const PUBLIC_PROVIDERS: Readonly<Record<string, string>> = {
  'cognito-identity.amazonaws.com': 'cognito-identity.amazonaws.com:aud',
  'accounts.google.com': 'accounts.google.com:aud',
  'graph.facebook.com': 'graph.facebook.com:app_id',
  'www.amazon.com': 'www.amazon.com:app_id',
}
const GITHUB = 'token.actions.githubusercontent.com'

function ofProvider(role: Identity, statement: Statement, name: string): TrustFault[] {
  const audience = PUBLIC_PROVIDERS[name]
  if (audience !== undefined) {
    if (statement.conditions.some(isFirm(audience))) return []
    return [
      {
        ...fault(role, statement, 'roles/oidc-no-audience', 'critical'),
        who: name,
        kind: 'provider',
        words: `Whoever has a token of ${name} gets in: the trust asks for no ${audience}.`,
        fix: conditionFix(role, 'StringEquals', audience, 'YOUR-APPLICATION-ID'),
      },
    ]
  }
  const [, host] = /:oidc-provider\/(.+)$/.exec(name) ?? []
  if (host === undefined) return []
  const subject = `${host}:sub`
  const fix = conditionFix(
    role,
    'StringEquals',
    subject,
    host === GITHUB ? 'repo:YOUR-ORG/YOUR-REPO:environment:production' : 'ONE-SUBJECT-OF-YOURS',
  )
  const firm = statement.conditions.filter(isFirm(subject))
  const shared = host === GITHUB || isShared(host)
  if (firm.length === 0) {
    return [
      {
        ...fault(role, statement, 'roles/oidc-no-subject', shared ? 'critical' : 'medium'),
        who: host,
        kind: 'provider',
        words: shared
          ? `Everybody who can get a token of ${host} gets in, from any repository: the trust does not ask for ${subject}.`
          : `Every subject of ${host} gets in: the trust does not ask for ${subject}.`,
        fix,
      },
    ]
  }
  const wide = firm.every(({ values }) =>
    values.some(({ parts }) => isWide(parts.flat() as Unit[])),
  )
  if (!wide) return []
  return [
    {
      ...fault(role, statement, 'roles/oidc-wide-subject', shared ? 'high' : 'low'),
      who: host,
      kind: 'provider',
      words: `The trust takes tokens of more than one repository or branch: its pattern of ${subject} leaves that open.`,
      fix,
    },
  ]
}

/** Providers of which everybody can get a token. Source: the providers' own documents on OIDC. */
const SHARED = [
  GITHUB,
  'gitlab.com',
  'app.terraform.io',
  'agent.buildkite.com',
  'oidc.circleci.com',
  'api.bitbucket.org',
  'oidc.vercel.com',
]

function isShared(host: string): boolean {
  return SHARED.some((name) => host === name || host.startsWith(`${name}/`))
}

/** For GitHub: anything but the part behind the repository is open; else any star that is not the end. */
function isWide(units: readonly Unit[]): boolean {
  const text = units
    .map((unit) => (unit === ANY ? '*' : typeof unit === 'string' ? unit : '?'))
    .join('')
  const [, , repository = '', rest = ''] = /^(repo):([^:]*):(.*)$/.exec(text) ?? []
  if (text.startsWith('repo:')) return repository === '' || /[*?]/.test(repository) || rest === '*'
  return /^[*?]+$/.test(text) || text.indexOf('*') >= 0
}

/** A condition that lets nobody through who does not have the key. */
function isFirm(key: string): (condition: Condition) => boolean {
  return ({ key: own, operator, ifExists, qualifier }) =>
    own === key.toLowerCase() &&
    operator !== null &&
    !operator.negated &&
    !ifExists &&
    qualifier !== 'forallvalues'
}

function narrowingKeys({ conditions }: Statement): string[] {
  return conditions.flatMap((condition) => {
    const { key } = condition
    return NARROWING.test(key) && isFirm(key)(condition) ? [key] : []
  })
}

function isNarrowed(statement: Statement): boolean {
  return narrowingKeys(statement).length > 0
}

function fault(
  role: Identity,
  statement: Statement,
  rule: RuleId,
  severity: Severity,
): Pick<TrustFault, 'rule' | 'severity' | 'statement' | 'fix'> {
  return {
    rule,
    severity,
    statement: statement.name,
    fix: {
      words: 'Name those who need the role, and nobody else.',
      policy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${role.account}:role/THE-ONE-THAT-NEEDS-IT` },
            Action: 'sts:AssumeRole',
          },
        ],
      },
      command: `aws iam update-assume-role-policy --role-name ${quoted(role.name)} --policy-document file://trust.json`,
    },
  }
}

function conditionFix(role: Identity, operator: string, key: string, value: string): Fix {
  return {
    words: `Add this condition to the statement of the trust.`,
    policy: { Condition: { [operator]: { [key]: value } } },
    command: `aws iam update-assume-role-policy --role-name ${quoted(role.name)} --policy-document file://trust.json`,
  }
}
