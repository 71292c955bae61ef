// Looks at AWS under the gate's own identity, for `seconder doctor`: whom the lent roles trust, whether the
// SCPs of `seconder init aws` are there, how far the clocks are apart. Reads only, one at a time, answers
// bounded; what may not be looked at is said, and is no error.
import { parseStrictJson } from '@seconder/aws/strict-json'
import type { WireHeader } from '@seconder/aws/wire-request'
import { parseXml, type XmlElement } from '@seconder/aws/xml/xml-tree'
import { assumesRoles, type Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import { ownCredentials } from './credential-sources/own-credentials.ts'
import { createExchange } from './exchange.ts'
import { type SendUpstream, senderAs } from './upstream.ts'

/** Bytes of one answer, and roles that are looked at. */
export const ANSWER_BYTES_MAX = 256 * 1024
export const ROLES_MAX = 50
const TIMEOUT_MS = 5_000

/** What was found of one thing: words, or why nothing was. */
export type Found<T> =
  | { readonly looked: true; readonly value: T }
  | { readonly looked: false; readonly why: string }

export interface RoleTrust {
  readonly name: string
  readonly arn: string
  /** One sentence each: what its trust policy allows that it should not, or lacks. Empty = as it should be. */
  readonly trust: Found<readonly string[]>
}

export interface OwnLook {
  readonly roles: readonly RoleTrust[]
  /** Names of SCPs that begin with `seconder-`. */
  readonly scps: Found<readonly string[]>
  /** Milliseconds by which AWS's clock is ahead of the gate's, to the second. */
  readonly clockAheadMs: Found<number>
}

/** Regions that the global services of a partition are signed for. Source: packages/aws/data/endpoints.json. */
const GLOBAL_REGIONS: Readonly<Record<string, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
}
const ORGANIZATIONS_REGIONS: Readonly<Record<string, string>> = {
  ...GLOBAL_REGIONS,
  'aws-cn': 'cn-northwest-1',
}

const NOT_ASKED = 'an emulator stands for AWS here'

/** Never rejects. `own` is the gate's own ARN; null where an emulator stands for AWS. */
export async function lookAsItself(
  config: Config,
  clock: Clock,
  own: string | null,
): Promise<OwnLook> {
  const roles = Object.entries(config.roles).map(([name, { arn }]) => ({ name, arn }))
  if (own === null || !assumesRoles(config)) {
    const not = { looked: false, why: NOT_ASKED } as const
    return { roles: roles.map((role) => ({ ...role, trust: not })), scps: not, clockAheadMs: not }
  }
  const { upstream } = config
  const timeoutMs = Math.min(upstream.timeoutMs, TIMEOUT_MS)
  const exchange = createExchange({ endpoint: upstream.endpoint, timeoutMs })
  const partition = own.split(':')[1] ?? 'aws'
  const region = GLOBAL_REGIONS[partition] ?? 'us-east-1'
  try {
    const sts = { exchange, clock, region: upstream.region ?? region }
    const send = senderAs(
      await ownCredentials(upstream.credentials, sts).current(),
      exchange,
      clock,
    )
    const trusts: RoleTrust[] = []
    for (const role of roles.slice(0, ROLES_MAX)) {
      trusts.push({ ...role, trust: await trustOf(send, region, role.arn, own) })
    }
    return {
      roles: trusts,
      scps: await scpsOf(send, ORGANIZATIONS_REGIONS[partition] ?? region),
      clockAheadMs: await clockOf(send, sts.region, clock),
    }
  } catch {
    const not = { looked: false, why: "the gate's own credentials could not be had" } as const
    return { roles: roles.map((role) => ({ ...role, trust: not })), scps: not, clockAheadMs: not }
  } finally {
    exchange.close()
  }
}

interface Answered {
  readonly status: number
  readonly headers: readonly WireHeader[]
  readonly body: Buffer
}

async function asked(
  send: SendUpstream,
  scope: { service: string; region: string },
  headers: readonly WireHeader[],
  body: string,
): Promise<Answered | null> {
  try {
    const answer = await send(
      { method: 'POST', target: '/', headers, body: Buffer.from(body) },
      scope,
    )
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > ANSWER_BYTES_MAX) return null
      chunks.push(chunk)
    }
    return { status: answer.status, headers: answer.headers, body: Buffer.concat(chunks) }
  } catch {
    return null // silence, or no such host: said as such, never as a finding about AWS
  }
}

const FORM: WireHeader = ['content-type', 'application/x-www-form-urlencoded; charset=utf-8']

/** Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
async function trustOf(
  send: SendUpstream,
  region: string,
  roleArn: string,
  own: string,
): Promise<RoleTrust['trust']> {
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1)
  const form = new URLSearchParams({ Action: 'GetRole', Version: '2010-05-08', RoleName: name })
  const answer = await asked(send, { service: 'iam', region }, [FORM], form.toString())
  if (answer === null) return { looked: false, why: 'IAM did not answer' }
  if (answer.status !== 200) return { looked: false, why: 'the gate may not iam:GetRole it' }
  try {
    const text = textAt(parseXml(answer.body), [
      'GetRoleResult',
      'Role',
      'AssumeRolePolicyDocument',
    ])
    return { looked: true, value: trustFaults(parseStrictJson(decodeURIComponent(text)), own) }
  } catch {
    return { looked: false, why: 'the answer of IAM could not be read' }
  }
}

function textAt(tree: XmlElement, path: readonly string[]): string {
  const [name, ...rest] = path
  if (name === undefined) return tree.text.trim()
  const child = tree.children.find((one) => one.name === name)
  if (child === undefined) throw new Error(`no ${name}`)
  return textAt(child, rest)
}

const NEEDED = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']

/** What is wrong with a trust policy, for a gate that has this ARN. */
export function trustFaults(policy: unknown, own: string): string[] {
  const all = (policy as { Statement?: unknown } | null)?.Statement
  const statements = (Array.isArray(all) ? all : [all]).filter(
    (one): one is Record<string, unknown> => one !== null && typeof one === 'object',
  )
  const faults: string[] = []
  const given = new Set<string>()
  for (const { Effect, Principal, NotPrincipal, Action, NotAction } of statements) {
    if (Effect !== 'Allow') continue
    if (NotPrincipal !== undefined)
      faults.push('it trusts everybody that a statement does not name')
    if (NotAction !== undefined) faults.push('it gives all actions that a statement does not name')
    for (const name of principalsOf(Principal)) {
      if (isGate(name, own)) for (const action of listOf(Action)) given.add(action.toLowerCase())
      else faults.push(`it trusts ${name} too`)
    }
  }
  const has = (action: string) => ['*', 'sts:*', action.toLowerCase()].some((one) => given.has(one))
  return [
    ...new Set(faults),
    ...NEEDED.filter((action) => !has(action)).map((action) => `it lacks ${action}`),
  ]
}

function principalsOf(principal: unknown): string[] {
  if (typeof principal === 'string') return [principal === '*' ? 'everybody' : principal]
  if (principal === null || typeof principal !== 'object') return []
  return Object.values(principal).flatMap(listOf)
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
}

/** The role behind the gate's session, whatever its path, or its user. */
function isGate(name: string, own: string): boolean {
  if (name === own) return true
  const [, partition, account, role] =
    /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(own) ?? []
  if (role === undefined) return false
  return name.startsWith(`arn:${partition}:iam::${account}:role/`) && name.endsWith(`/${role}`)
}

/** Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html */
async function scpsOf(send: SendUpstream, region: string): Promise<OwnLook['scps']> {
  const headers: WireHeader[] = [
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amz-target', 'AWSOrganizationsV20161128.ListPolicies'],
  ]
  const input = JSON.stringify({ Filter: 'SERVICE_CONTROL_POLICY' })
  const answer = await asked(send, { service: 'organizations', region }, headers, input)
  if (answer === null) return { looked: false, why: 'AWS Organizations did not answer' }
  if (answer.status !== 200)
    return { looked: false, why: 'the gate may not organizations:ListPolicies' }
  try {
    const { Policies } = parseStrictJson(answer.body) as { Policies?: readonly { Name?: string }[] }
    const names = (Policies ?? []).map(({ Name }) => Name ?? '')
    return { looked: true, value: names.filter((name) => name.startsWith('seconder-')) }
  } catch {
    return { looked: false, why: 'the answer of AWS Organizations could not be read' }
  }
}

async function clockOf(
  send: SendUpstream,
  region: string,
  clock: Clock,
): Promise<OwnLook['clockAheadMs']> {
  const form = 'Action=GetCallerIdentity&Version=2011-06-15'
  const answer = await asked(send, { service: 'sts', region }, [FORM], form)
  const date = answer?.headers.find(([name]) => name.toLowerCase() === 'date')?.[1]
  const theirsMs = Date.parse(date ?? '')
  if (Number.isNaN(theirsMs)) return { looked: false, why: 'STS sent no date' }
  return { looked: true, value: Math.round((theirsMs - clock.nowMs()) / 1_000) * 1_000 }
}
