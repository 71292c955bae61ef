// API Gateway's management resources are its paths: DELETE /restapis/abc is `apigateway:DELETE` on
// `arn:aws:apigateway:REGION::/restapis/abc`; the paths of version 2 lose their `/v2`. Source:
// docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html

import type { CallResource, JsonObject } from '../call.ts'
import type { Operation } from '../index/service-index.ts'
import type { Surroundings } from './normalise.ts'

/** Ids of API Gateway and names of stages, domains and keys; a wider value leaves the ARN open. */
const PART = /^[A-Za-z0-9._@$-]+$/

/**
 * The one resource of a management call; `*` where a part of its path is not plain, and for tags.
 */
export function apiGatewayResource(
  operation: Operation,
  parameters: JsonObject,
  here: Surroundings,
): CallResource {
  const path = (operation.facts.uri ?? '').split('?')[0]?.replace(/^\/v2(?=\/)/, '') ?? ''
  const labels = new Map(
    Object.entries(operation.members).map(([name, member]) => [member.locationName ?? name, name]),
  )
  let plain = path.startsWith('/') && !path.startsWith('/tags')
  const filled = path.replace(/\{([^{}+]+)\+?\}/g, (_, label: string) => {
    const value = parameters[labels.get(label) ?? label]
    if (typeof value !== 'string' || !PART.test(value)) plain = false
    return String(value)
  })
  if (!plain) return { arn: '*', type: '*', resolved: false }
  const arn = `arn:${here.partition}:apigateway:${here.region}::${filled}`
  return { arn, type: 'path', resolved: true }
}
