// Says who made a recorded call: the principal that rights hang on (the issuer of the session, never the
// session itself), the session, and whether a person or agent called at all or a service of AWS did.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

export interface Who {
  /** ARN of the role or user; else the best name there is, such as a service's or an account's. */
  readonly principal: string
  /** What groups calls of one piece of work: the session's ARN, else the principal. */
  readonly session: string
  /** Twelve digits, or empty. */
  readonly account: string
  /** Who vouched for the person behind the session; empty where nobody did. */
  readonly sourceIdentity: string
  /** The service of AWS that called by itself or for somebody; empty where the principal called. */
  readonly service: string
}

export const NOBODY: Who = {
  principal: 'unknown',
  session: 'unknown',
  account: '',
  sourceIdentity: '',
  service: '',
}

/** Characters of any one name that are kept. */
const NAME_MAX = 1_024
/**
 * A person in the console: old events name the sign-in service as the one that called.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html (invokedBy)
 */
const CONSOLE = new Set(['signin.amazonaws.com'])

type Identity = Readonly<Record<string, unknown>>

/** From the raw JSON of `userIdentity`; what cannot be read is nobody known, never somebody else. */
export function whoOf(raw: string): Who {
  const identity = objectOf(parsed(raw))
  if (identity === null) return NOBODY
  const context = objectOf(identity['sessionContext']) ?? {}
  const issuer = objectOf(context['sessionIssuer']) ?? {}
  const arn = text(identity, 'arn')
  const type = text(identity, 'type')
  const invokedBy = text(identity, 'invokedBy')
  const service = CONSOLE.has(invokedBy) ? '' : invokedBy
  const named = text(issuer, 'arn') || roleOf(arn) || arn || otherName(identity, type)
  const principal = named || service || 'unknown'
  return {
    principal,
    session: arn || principal,
    account: text(issuer, 'accountId') || text(identity, 'accountId'),
    sourceIdentity: text(context, 'sourceIdentity'),
    service: service || (type === 'AWSService' ? 'an AWS service' : ''),
  }
}

/** The role of a session's ARN, which does not tell the role's path. */
function roleOf(arn: string): string {
  const match = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn)
  return match === null ? '' : `arn:${match[1]}:iam::${match[2]}:role/${match[3]}`
}

/** Callers without an ARN: another account, somebody of a provider, a person of IAM Identity Center. */
function otherName(identity: Identity, type: string): string {
  const name =
    text(identity, 'userName') || text(identity, 'principalId') || text(identity, 'accountId')
  return name === '' ? '' : `${type || 'caller'} ${name}`
}

function text(object: Identity, key: string): string {
  const value = object[key]
  return typeof value === 'string' ? value.slice(0, NAME_MAX) : ''
}

function objectOf(value: unknown): Identity | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Identity)
    : null
}

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    return null // not there, or cut: the caller is then unknown by name
  }
}
