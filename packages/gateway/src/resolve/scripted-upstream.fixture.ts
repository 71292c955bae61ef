// A fake upstream for tests: it answers each read by a script, in the shapes that AWS documents, and
// keeps what it was asked. A read that the script does not name is answered with access denied.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { asObject, objectAt, textAt } from './member.ts'
import type { Upstream, UpstreamAnswer, UpstreamCall } from './upstream.ts'

export type Script = Readonly<
  Record<string, UpstreamAnswer | readonly UpstreamAnswer[] | 'silence'>
>

export interface ScriptedUpstream extends Upstream {
  /** `dynamodb:DescribeTable orders`, `cloudformation:DescribeStacks shop`, `s3:GET /b?versioning`. */
  readonly asked: string[]
  readonly calls: UpstreamCall[]
}

/** A list answers one after the other, the last for ever; `silence` never answers. */
export function scriptedUpstream(script: Script): ScriptedUpstream {
  const asked: string[] = []
  const calls: UpstreamCall[] = []
  const turns = new Map<string, number>()
  return {
    asked,
    calls,
    send(call) {
      const name = nameOf(call)
      asked.push(name)
      calls.push(call)
      const short = name.split(' ', 1)[0] ?? name
      const answer = script[name] ?? script[short]
      if (answer === 'silence') return new Promise(() => undefined)
      if (answer === undefined) return Promise.resolve(denied(call))
      if (!Array.isArray(answer)) return Promise.resolve(answer as UpstreamAnswer)
      const turn = turns.get(name) ?? 0
      turns.set(name, turn + 1)
      return Promise.resolve(answer[Math.min(turn, answer.length - 1)])
    },
  }
}

function nameOf(call: UpstreamCall): string {
  const text = new TextDecoder().decode(call.body)
  if (call.service === 's3') return `s3:${call.method} ${call.target}`
  if (call.service === 'dynamodb') {
    const target = call.headers.find(([name]) => name === 'x-amz-target')?.[1] ?? ''
    const input = asObject(JSON.parse(text) as Json)
    const key = objectAt(input, 'Key')
    const item = key === null ? '' : ` ${JSON.stringify(key)}`
    return `dynamodb:${target.split('.')[1]} ${textAt(input, 'TableName')}${item}`
  }
  const target = call.headers.find(([name]) => name === 'x-amz-target')?.[1]
  if (target !== undefined) return `${call.service}:${target.split('.')[1]} ${text}`
  if (call.method === 'GET') return `${call.service}:GET ${call.target}`
  const form = new URLSearchParams(text)
  const name = form.get('ChangeSetName') ?? form.get('StackName')
  const page = form.get('NextToken')
  return `${call.service}:${form.get('Action')} ${name}${page === null ? '' : ` from ${page}`}`
}

const encoder = new TextEncoder()

export function jsonAnswer(value: unknown, status = 200): UpstreamAnswer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: encoder.encode(typeof value === 'string' ? value : JSON.stringify(value)),
  }
}

export function xmlAnswer(text: string, status = 200): UpstreamAnswer {
  const body = encoder.encode(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

export function headAnswer(headers: Record<string, string>, status = 200): UpstreamAnswer {
  return { status, headers, body: new Uint8Array(0) }
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
export function dynamodbError(code: string, status = 400): UpstreamAnswer {
  const type = `com.amazonaws.dynamodb.v20120810#${code}`
  return jsonAnswer({ __type: type, message: 'SECRET-WORDS of the upstream' }, status)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function s3Error(code: string, status: number): UpstreamAnswer {
  return xmlAnswer(
    `<Error><Code>${code}</Code><Message>SECRET-WORDS</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`,
    status,
  )
}

/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization */
export function queryError(code: string, status = 400): UpstreamAnswer {
  return xmlAnswer(
    `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>SECRET-WORDS</Message></Error><RequestId>b9b4b068</RequestId></ErrorResponse>`,
    status,
  )
}

function denied(call: UpstreamCall): UpstreamAnswer {
  if (call.method === 'HEAD') return headAnswer({}, 403)
  if (call.service === 'dynamodb') return dynamodbError('AccessDeniedException')
  if (call.service === 's3') return s3Error('AccessDenied', 403)
  const json = call.headers.some(([, value]) => value.startsWith('application/x-amz-json'))
  return json ? dynamodbError('AccessDeniedException') : queryError('AccessDenied', 403)
}

/** An action of the AWS door; effects as describe would say them. */
export function awsAction(
  operation: string,
  parameters: JsonObject,
  effects: readonly Effect[] = ['write'],
  arn = '*',
): Action {
  const service = operation.slice(0, operation.indexOf(':'))
  return {
    door: 'aws',
    operation,
    iamActions: [operation],
    resources: [
      {
        arn,
        type: '*',
        account: '123456789012',
        region: 'eu-west-1',
        environment: 'production',
        resolved: arn !== '*',
      },
    ],
    effects,
    reveals: 'nothing',
    recoverable: 'unknown',
    service,
    account: '123456789012',
    region: 'eu-west-1',
    parameters,
    body: null,
  }
}
