// STS: who am I, and credentials of a role for a caller the role trusts. Nothing else.
import type { CloudReply, CloudRequest, CloudService } from './cloud-request.ts'
import { CloudError } from './errors.ts'
import {
  ACCOUNT,
  type KeyTable,
  type Principal,
  roleId,
  SESSIONS_MAX,
  sessionArn,
} from './principal.ts'
import { QueryInput } from './query-input.ts'
import { writeXml, type XmlValue } from './xml.ts'

const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const SESSION_SECONDS_MIN = 900
export const SESSION_SECONDS_MAX = 43_200
export const SESSION_TAGS_MAX = 50

/**
 * One AssumeRole as the lab remembers it: what CloudTrail would show of it, without credentials.
 */
export interface AssumedSession {
  readonly caller: string
  readonly arn: string
  readonly accessKeyId: string
  readonly sourceIdentity: string | undefined
  readonly tags: ReadonlyMap<string, string>
  /** The session policy as sent; recorded, for the lab evaluates no policies. */
  readonly policy: string | undefined
}

export class Sts implements CloudService {
  readonly protocol = 'awsQuery'
  readonly sessions: AssumedSession[] = []
  readonly #keys: KeyTable

  constructor(keys: KeyTable) {
    this.#keys = keys
  }

  operation(request: CloudRequest): string {
    const input = QueryInput.of(request)
    const action = input.optional('Action') ?? ''
    if (input.optional('Version') !== '2011-06-15') {
      throw new CloudError('InvalidAction', `Could not find operation ${action}`)
    }
    return action
  }

  answer(request: CloudRequest, operation: string): Promise<CloudReply> {
    const input = QueryInput.of(request)
    input.required('Action')
    input.required('Version')
    switch (operation) {
      case 'GetCallerIdentity':
        return Promise.resolve(this.#identity(request, input))
      case 'AssumeRole':
        return Promise.resolve(this.#assumeRole(request, input))
      default:
        throw new CloudError('InvalidAction', `Could not find operation ${operation}`)
    }
  }

  #identity(request: CloudRequest, input: QueryInput): CloudReply {
    input.done()
    const { principal } = request
    return answer(request, 'GetCallerIdentity', {
      Arn: sessionArn(principal),
      UserId: `${roleId(principal.role.name)}:${principal.sessionName}`,
      Account: ACCOUNT,
    })
  }

  #assumeRole(request: CloudRequest, input: QueryInput): CloudReply {
    const arn = input.required('RoleArn')
    const sessionName = input.required('RoleSessionName')
    const sourceIdentity = input.optional('SourceIdentity')
    const seconds = Number(input.optional('DurationSeconds') ?? '3600')
    const policy = input.optional('Policy')
    const tags = input.pairs('Tags', 'Key', 'Value')
    input.done()
    const isName = /^[\w+=,.@-]{2,64}$/
    if (
      !isName.test(sessionName) ||
      (sourceIdentity !== undefined && !isName.test(sourceIdentity))
    ) {
      throw new CloudError(
        'ValidationError',
        'a session name has 2 to 64 of the characters \\w+=,.@-',
      )
    }
    const inRange = seconds >= SESSION_SECONDS_MIN && seconds <= SESSION_SECONDS_MAX
    if (!Number.isInteger(seconds) || !inRange || tags.size > SESSION_TAGS_MAX) {
      throw new CloudError('ValidationError', 'the duration or the tags are out of range')
    }
    const session = {
      sessionName,
      tags,
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    }
    const expiresAtMs = request.nowMs + seconds * 1000
    const { principal: caller, nowMs } = request
    const assumed = this.#keys.assume(caller, arn, session, expiresAtMs, nowMs)
    if (this.sessions.length >= SESSIONS_MAX) this.sessions.shift()
    this.sessions.push({
      caller: sessionArn(caller),
      arn: sessionArn(assumed),
      accessKeyId: assumed.credentials.accessKeyId,
      sourceIdentity,
      tags,
      policy,
    })
    return answer(request, 'AssumeRole', assumedResult(assumed, expiresAtMs))
  }
}

function assumedResult(assumed: Principal, expiresAtMs: number): XmlValue {
  const { role, sessionName, credentials } = assumed
  return {
    Credentials: {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: new Date(expiresAtMs).toISOString(),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${roleId(role.name)}:${sessionName}`,
      Arn: sessionArn(assumed),
    },
    SourceIdentity: assumed.sourceIdentity,
  }
}

function answer(request: CloudRequest, operation: string, result: XmlValue): CloudReply {
  const document = {
    [`${operation}Result`]: result,
    ResponseMetadata: { RequestId: request.id },
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: Buffer.from(writeXml(`${operation}Response`, document, STS_NAMESPACE)),
  }
}
