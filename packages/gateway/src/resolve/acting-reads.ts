// The reads by which `resolve` learns what a call that acts for others would really run, and under which
// role: one closed list, and how each is written down. Answers may hold settings; only what is named in
// the files beside this one is kept of them.
import type { JsonObject } from '@seconder/aws/call'
import type { UpstreamCall } from './upstream.ts'

/**
 * JSON reads by signing name: the target and its awsJson version. Each has the access level Read or List
 * in the Service Authorization Reference:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
const JSON_READS = {
  'states:DescribeStateMachine': ['AWSStepFunctions.DescribeStateMachine', '1.0'],
  'codebuild:BatchGetProjects': ['CodeBuild_20161006.BatchGetProjects', '1.1'],
  'codepipeline:GetPipeline': ['CodePipeline_20150709.GetPipeline', '1.1'],
  'ecs:DescribeTaskDefinition': [
    'AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition',
    '1.1',
  ],
  'ecs:DescribeServices': ['AmazonEC2ContainerServiceV20141113.DescribeServices', '1.1'],
  'ecr:DescribeImages': ['AmazonEC2ContainerRegistry_V20150921.DescribeImages', '1.1'],
  'events:ListTargetsByRule': ['AWSEvents.ListTargetsByRule', '1.1'],
  'glue:GetJob': ['AWSGlue.GetJob', '1.1'],
  'ssm:GetDocument': ['AmazonSSM.GetDocument', '1.1'],
} as const satisfies Readonly<Record<string, readonly [target: string, version: string]>>

export type ActingRead = keyof typeof JSON_READS

const encoder = new TextEncoder()

export function actingCall(region: string, read: ActingRead, input: JsonObject): UpstreamCall {
  const [target, version] = JSON_READS[read]
  return {
    service: read.slice(0, read.indexOf(':')),
    region,
    method: 'POST',
    target: '/',
    headers: [
      ['content-type', `application/x-amz-json-${version}`],
      ['x-amz-target', target],
    ],
    body: encoder.encode(JSON.stringify(input)),
  }
}

/** Query reads by signing name and operation, with the version of the API. */
const FORM_READS = {
  'ec2:DescribeInstances': '2016-11-15',
  'iam:GetInstanceProfile': '2010-05-08',
} as const satisfies Readonly<Record<string, string>>

const FORM = 'application/x-www-form-urlencoded; charset=utf-8'

export function formCall(
  region: string,
  read: keyof typeof FORM_READS,
  input: Readonly<Record<string, string>>,
): UpstreamCall {
  const [service = '', operation = ''] = read.split(':')
  const fields = [['Action', operation], ['Version', FORM_READS[read]], ...Object.entries(input)]
  return {
    service,
    region,
    method: 'POST',
    target: '/',
    headers: [['content-type', FORM]],
    body: encoder.encode(new URLSearchParams(fields as [string, string][]).toString()),
  }
}

function isFormRead({ service, headers, body }: UpstreamCall): boolean {
  const [contentType, ...rest] = headers
  if (contentType?.[0] !== 'content-type' || contentType[1] !== FORM || rest.length > 0)
    return false
  const form = new URLSearchParams(new TextDecoder().decode(body))
  return Object.entries(FORM_READS).some(
    ([read, version]) =>
      form.getAll('Version').join() === version &&
      form.getAll('Action').length === 1 &&
      read === `${service}:${form.get('Action')}`,
  )
}

/** GetFunctionConfiguration. Source: its page in the Lambda API reference. */
export function functionCall(region: string, name: string, qualifier: string | null): UpstreamCall {
  const query = qualifier === null ? '' : `?Qualifier=${encodeURIComponent(qualifier)}`
  const target = `${FUNCTIONS}${encodeURIComponent(name)}/configuration${query}`
  return { service: 'lambda', region, method: 'GET', target, headers: [], body: new Uint8Array(0) }
}

/** GetAlias. Source: its page in the Lambda API reference. */
export function aliasCall(region: string, name: string, alias: string): UpstreamCall {
  const target = `${FUNCTIONS}${encodeURIComponent(name)}/aliases/${encodeURIComponent(alias)}`
  return { service: 'lambda', region, method: 'GET', target, headers: [], body: new Uint8Array(0) }
}

const FUNCTIONS = '/2015-03-31/functions/'
const FUNCTION_READ =
  /^\/2015-03-31\/functions\/[\w%.~!'()*-]+\/(?:configuration(?:\?Qualifier=[\w%.~!'()*-]+)?|aliases\/[\w%.~!'()*-]+)$/

/** Whether a call is one of these reads, in exactly the form written here. */
export function isActingRead(call: UpstreamCall): boolean {
  const { service, method, target, headers, body } = call
  if (service === 'lambda') {
    return (
      method === 'GET' && headers.length === 0 && body.length === 0 && FUNCTION_READ.test(target)
    )
  }
  const [contentType, named, ...rest] = headers
  if (method !== 'POST' || target !== '/') return false
  if (isFormRead(call)) return true
  if (rest.length > 0) return false
  return Object.entries(JSON_READS).some(
    ([read, [operation, version]]) =>
      read.startsWith(`${service}:`) &&
      contentType?.[0] === 'content-type' &&
      contentType[1] === `application/x-amz-json-${version}` &&
      named?.[0] === 'x-amz-target' &&
      named[1] === operation,
  )
}
