// Reads an AssumeRole of an agent as what the gate makes of it: a child session under a configured role, and
// never a credential of AWS (red team C4). What a child session cannot be is refused by name. Pure.
import type { RoleRow } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { digestOf } from '../lib/canonical-json.ts'
import type { Action, ChildAsked, JsonObject } from './action.ts'

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds. */
const SECONDS_MIN = 900
const SECONDS_MAX = 43_200
const SECONDS_DEFAULT = 3_600
/** Source: as above, RoleSessionName. */
const LABEL = /^[\w+=,.@-]{2,64}$/

/** Members of AssumeRole that would make it something else than the role, each with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  Policy: 'leave it out: the gate narrows every call of the child to that call',
  PolicyArns: 'leave it out: the gate narrows every call of the child to that call',
  Tags: 'leave it out: the gate tags every session itself',
  TransitiveTagKeys: 'leave it out: the gate tags every session itself',
  SourceIdentity: 'leave it out: it is the operator of your session, who was proved',
  ExternalId: 'leave it out: the gate itself assumes the role',
  SerialNumber: 'leave it out: there is no device to ask for',
  TokenCode: 'leave it out: there is no device to ask for',
  ProvidedContexts: 'leave it out: the gate hands on no context of another provider',
}

export interface ChildFacts {
  readonly roles: Readonly<Record<string, RoleRow>>
  /** The role of the session that asks. */
  readonly roleArn: string
  /** Whether that session is a child itself. */
  readonly isChild: boolean
}

/**
 * What the call asks for, or null for any other call.
 * Errors: `credential_answer` where the role is not one that the gate lends, `not_supported` by name for
 * what a child session cannot be.
 */
export function childAsked(
  { operation, parameters }: Action,
  facts: ChildFacts,
): ChildAsked | null {
  if (operation !== 'sts:AssumeRole') return null
  const { RoleArn, RoleSessionName, DurationSeconds } = parameters
  const role = Object.entries(facts.roles).find(([, { arn }]) => arn === RoleArn)
  if (role === undefined) {
    throw new GatewayError(
      'credential_answer',
      'AssumeRole would answer with credentials that work without the gate, and this role is none that the gate lends; nothing was done',
      `assume one that it lends: ${Object.values(facts.roles)
        .map(({ arn }) => arn)
        .join(', ')}`,
    )
  }
  if (facts.isChild) {
    throw refused('AssumeRole by a child session', 'ask with the keys of the session it came from')
  }
  const [sent] = Object.keys(parameters).filter((name) => Object.hasOwn(REFUSED, name))
  if (sent !== undefined) throw refused(`AssumeRole with ${sent}`, REFUSED[sent] ?? '')
  if (typeof RoleSessionName !== 'string' || !LABEL.test(RoleSessionName)) {
    throw refused('this RoleSessionName', 'use 2 to 64 of letters, digits and _+=,.@-')
  }
  const seconds = DurationSeconds === undefined ? SECONDS_DEFAULT : Number(DurationSeconds)
  if (!Number.isInteger(seconds) || seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
    throw refused('this DurationSeconds', `use ${SECONDS_MIN} to ${SECONDS_MAX}`)
  }
  const [roleName, { arn }] = role
  return { roleName, roleArn: arn, label: RoleSessionName, seconds }
}

/**
 * The Action of opening that child: the authority of another role is lent to an agent, which is
 * `permissions` in every environment that the role reaches; a child of the same role adds none and is a
 * read. Its answer holds keys of this gate alone.
 */
export function childOpening(action: Action, asked: ChildAsked, ownRoleArn: string): Action {
  const { ownLimbs: _, outside: __, ...plain } = action
  const parameters: JsonObject = { RoleArn: asked.roleArn, DurationSeconds: asked.seconds }
  return {
    ...plain,
    effects: [asked.roleArn === ownRoleArn ? 'read' : 'permissions'],
    reveals: 'nothing',
    recoverable: 'yes',
    parameters,
    body: digestOf(parameters),
  }
}

function refused(what: string, help: string): GatewayError {
  return new GatewayError('not_supported', `${what} makes no child session; nothing was done`, help)
}
