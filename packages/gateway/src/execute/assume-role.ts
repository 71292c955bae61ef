// Asks AWS STS for the credentials of a role: AssumeRole under the gate's own identity, and
// AssumeRoleWithWebIdentity under a token. A session for an agent's call carries a policy, tags and a source
// identity; there is no way to leave one out (red team C2). No text of STS leaves here but error codes.

import type { WireHeader } from '@seconder/aws/wire-request'
import { parseXml, type XmlElement } from '@seconder/aws/xml/xml-tree'
import type { UpstreamCredentials } from '../config.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import { type Lent, unavailable } from './credential-sources/credential-source.ts'
import type { Exchange, UpstreamAnswer } from './exchange.ts'
import { senderAs, UpstreamSilence } from './upstream.ts'

/** Bytes of an answer of STS; a real one is about 2 KB. */
export const STS_ANSWER_BYTES_MAX = 64 * 1024
/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds. */
export const SESSION_SECONDS_MIN = 900
/** Limit of a role that is assumed by a role, and default of every role. Source: as above. */
export const SESSION_SECONDS_CHAINED_MAX = 3_600

export interface AssumeRoleCall {
  readonly roleArn: string
  /** 2 to 64 of `[\w+=,.@-]`. */
  readonly sessionName: string
  readonly sourceIdentity: string
  readonly tags: readonly (readonly [key: string, value: string])[]
  readonly policy: string
  readonly seconds: number
}

export interface Sts {
  readonly exchange: Exchange
  readonly clock: Clock
  /** Region of the STS endpoint. */
  readonly region: string
}

/** An error answer of STS; `code` is its name of the error, `action` what it named as missing. */
export class StsRefusal extends Error {
  readonly code: string
  readonly action: string | null

  constructor(code: string, action: string | null) {
    super(`STS answered ${code}`)
    this.name = 'StsRefusal'
    this.code = code
    this.action = action
  }
}

/** Errors: StsRefusal for what STS answered, GatewayError `credentials_unavailable` for no answer. */
export async function assumeRole(
  sts: Sts,
  own: UpstreamCredentials,
  call: AssumeRoleCall,
): Promise<Lent> {
  const form: [string, string][] = [
    ['Action', 'AssumeRole'],
    ['Version', '2011-06-15'],
    ['RoleArn', call.roleArn],
    ['RoleSessionName', call.sessionName],
    ['SourceIdentity', call.sourceIdentity],
    ['DurationSeconds', String(call.seconds)],
    ['Policy', call.policy],
    ...call.tags.flatMap(([key, value], index): [string, string][] => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
  ]
  const send = senderAs(own, sts.exchange, sts.clock)
  const answer = await answered(() =>
    send(formRequest(form), { service: 'sts', region: sts.region }),
  )
  return lentBy(answer, 'AssumeRoleResult')
}

/**
 * The ARN of whoever holds these credentials. Errors: `credentials_unavailable`.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function callerIdentity(sts: Sts, own: UpstreamCredentials): Promise<string> {
  const form = [
    ['Action', 'GetCallerIdentity'],
    ['Version', '2011-06-15'],
  ] as const
  const send = senderAs(own, sts.exchange, sts.clock)
  const { status, tree } = await answered(() =>
    send(formRequest(form), { service: 'sts', region: sts.region }),
  )
  const result = status === 200 ? childOf(tree, 'GetCallerIdentityResult') : undefined
  const arn = result && textOf(result, 'Arn')
  if (arn && /^arn:[a-z-]+:(iam|sts)::\d{12}:\S{1,1000}$/.test(arn)) return arn
  throw unavailable('AWS STS does not say who the gate is')
}

export interface PlainRoleCall {
  readonly roleArn: string
  readonly sessionName: string
  readonly externalId: string | null
}

/** The gate's own identity by way of a profile's `role_arn`: not narrowed, for nothing is called yet. */
export async function assumeOwnRole(
  sts: Sts,
  own: UpstreamCredentials,
  { roleArn, sessionName, externalId }: PlainRoleCall,
): Promise<Lent> {
  const form: [string, string][] = [
    ['Action', 'AssumeRole'],
    ['Version', '2011-06-15'],
    ['RoleArn', roleArn],
    ['RoleSessionName', sessionName],
    ...(externalId === null ? [] : ([['ExternalId', externalId]] as [string, string][])),
  ]
  const send = senderAs(own, sts.exchange, sts.clock)
  const answer = await answered(() =>
    send(formRequest(form), { service: 'sts', region: sts.region }),
  )
  return lentBy(answer, 'AssumeRoleResult')
}

export interface WebIdentityCall {
  readonly roleArn: string
  readonly sessionName: string
  readonly token: Secret
}

/**
 * The only call of the gate that is not signed: the token is its proof.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function assumeRoleWithWebIdentity(sts: Sts, call: WebIdentityCall): Promise<Lent> {
  const request = formRequest([
    ['Action', 'AssumeRoleWithWebIdentity'],
    ['Version', '2011-06-15'],
    ['RoleArn', call.roleArn],
    ['RoleSessionName', call.sessionName],
    ['WebIdentityToken', call.token.reveal()],
  ])
  const answer = await answered(() => {
    const to = sts.exchange.destination({ service: 'sts', region: sts.region })
    const length: WireHeader = ['content-length', String(request.body.byteLength)]
    return sts.exchange.send(to, request, [['host', to.authority], ...request.headers, length])
  })
  return lentBy(answer, 'AssumeRoleWithWebIdentityResult')
}

function formRequest(form: readonly (readonly [string, string])[]) {
  const headers: WireHeader[] = [
    ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
  ]
  const text = form.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&')
  return { method: 'POST', target: '/', headers, body: Buffer.from(text) }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

interface Answered {
  readonly status: number
  readonly tree: XmlElement
}

async function answered(send: () => Promise<UpstreamAnswer>): Promise<Answered> {
  try {
    const answer = await send()
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > STS_ANSWER_BYTES_MAX) {
        answer.body.destroy()
        throw unavailable('AWS STS answered more than the limit')
      }
      chunks.push(chunk)
    }
    return { status: answer.status, tree: parseXml(Buffer.concat(chunks)) }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    const silent = cause instanceof UpstreamSilence
    throw unavailable(silent ? 'AWS STS did not answer' : 'the answer of AWS STS is not readable', {
      cause,
    })
  }
}

function lentBy({ status, tree }: Answered, result: string): Lent {
  if (status !== 200) {
    const error = childOf(tree, 'Error')
    const code = error && textOf(error, 'Code')
    if (!code || !/^[A-Za-z0-9.]{1,100}$/.test(code)) throw unavailable('AWS STS answered an error')
    const action = /\bsts:(?:AssumeRole|TagSession|SetSourceIdentity)\b/.exec(
      (error && textOf(error, 'Message')) ?? '',
    )
    throw new StsRefusal(code, action?.[0] ?? null)
  }
  const given = childOf(childOf(tree, result), 'Credentials')
  const accessKeyId = given && textOf(given, 'AccessKeyId')
  const secretAccessKey = given && textOf(given, 'SecretAccessKey')
  const sessionToken = given && textOf(given, 'SessionToken')
  const expiresAtMs = Date.parse((given && textOf(given, 'Expiration')) ?? '')
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAtMs)) {
    throw unavailable('the answer of AWS STS holds no credentials')
  }
  const credentials = {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: new Secret(sessionToken),
  }
  return { credentials, expiresAtMs }
}

/** The one child of that name. */
function childOf(tree: XmlElement | undefined, name: string): XmlElement | undefined {
  const [only, ...more] = (tree?.children ?? []).filter((child) => child.name === name)
  return more.length === 0 ? only : undefined
}

function textOf(tree: XmlElement, name: string): string | undefined {
  return childOf(tree, name)?.text.trim()
}
