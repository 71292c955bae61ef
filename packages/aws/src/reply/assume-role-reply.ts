// Makes the answer that STS gives to AssumeRole, in XML, or in JSON for who asks for that. Pure: the
// values are the caller's, and nothing here knows whose credentials they are.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, Examples.

import { createHash } from 'node:crypto'

export interface AssumeRoleAnswer {
  /** True where the client sent `Accept: application/json`. */
  readonly asJson: boolean
  readonly roleArn: string
  /** RoleSessionName as it was asked for: 2 to 64 of `[\w+=,.@-]`. */
  readonly sessionName: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
  readonly requestId: string
}

export interface AnswerBytes {
  readonly status: 200
  readonly headers: [name: string, value: string][]
  readonly body: Uint8Array
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

export function assumeRoleReply(answer: AssumeRoleAnswer): AnswerBytes {
  const text = answer.asJson ? jsonText(answer) : xmlText(answer)
  const body = new TextEncoder().encode(text)
  return {
    status: 200,
    headers: [
      ['content-type', answer.asJson ? 'application/json' : 'text/xml'],
      ['content-length', String(body.byteLength)],
      ['x-amzn-requestid', answer.requestId],
    ],
    body,
  }
}

function xmlText(answer: AssumeRoleAnswer): string {
  const { arn, id } = userOf(answer)
  const expiration = new Date(answer.expiresAtMs).toISOString().replace(/\.\d{3}Z$/, 'Z')
  return [
    `<AssumeRoleResponse xmlns="${NAMESPACE}">`,
    '<AssumeRoleResult>',
    `<AssumedRoleUser>${element('AssumedRoleId', id)}${element('Arn', arn)}</AssumedRoleUser>`,
    '<Credentials>',
    element('AccessKeyId', answer.accessKeyId),
    element('SecretAccessKey', answer.secretAccessKey),
    element('SessionToken', answer.sessionToken),
    element('Expiration', expiration),
    '</Credentials>',
    '</AssumeRoleResult>',
    `<ResponseMetadata>${element('RequestId', answer.requestId)}</ResponseMetadata>`,
    '</AssumeRoleResponse>\n',
  ].join('')
}

/** Dates are seconds since 1970 in the JSON of query services. */
function jsonText(answer: AssumeRoleAnswer): string {
  const { arn, id } = userOf(answer)
  return JSON.stringify({
    AssumeRoleResponse: {
      AssumeRoleResult: {
        AssumedRoleUser: { AssumedRoleId: id, Arn: arn },
        Credentials: {
          AccessKeyId: answer.accessKeyId,
          SecretAccessKey: answer.secretAccessKey,
          SessionToken: answer.sessionToken,
          Expiration: answer.expiresAtMs / 1_000,
        },
        PackedPolicySize: null,
        SourceIdentity: null,
      },
      ResponseMetadata: { RequestId: answer.requestId },
    },
  })
}

/**
 * A role's session by its ARN, which holds no path, and by an id of AWS's shape that is the same for one
 * role each time. Source: IAM User Guide, reference_identifiers.html, Unique identifiers.
 */
function userOf({ roleArn, sessionName }: AssumeRoleAnswer): { arn: string; id: string } {
  const [, partition = 'aws', , , account = '', resource = ''] = roleArn.split(':')
  const role = resource.slice(resource.lastIndexOf('/') + 1)
  const letters = createHash('sha256').update(roleArn).digest('hex').toUpperCase().slice(0, 9)
  return {
    arn: `arn:${partition}:sts::${account}:assumed-role/${role}/${sessionName}`,
    id: `AROASECONDER${letters}:${sessionName}`,
  }
}

function element(name: string, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<${name}>${escaped}</${name}>`
}
