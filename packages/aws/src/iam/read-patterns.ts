// The read actions of a service as few patterns as can be, for a policy that denies everything else: a verb
// stands for its actions only where all of them are reads in IAM's own data. Reads whose answer is a
// credential are given apart, so that the policy can deny them again. Pure but for the index.

import { revealsOf } from '../describe/answers.ts'
import {
  type Operation,
  operationOf,
  type Service,
  serviceOf,
  signingNames,
} from '../index/service-index.ts'

export interface ReadPatterns {
  /** `ec2:Describe*`, `dynamodb:Query`; sorted. */
  readonly patterns: readonly string[]
  /** Reads that answer with a credential: `ecr:GetAuthorizationToken`. */
  readonly credentials: readonly string[]
  /** Verbs that stand for reads and for changes, with too many reads to name one by one. */
  readonly left: readonly string[]
}

/** Actions of one mixed verb that are named one by one. */
const NAMED_MAX = 3

/**
 * Verbs after which nothing is changed, started or called. IAM's data calls more a read, such as
 * `bedrock:InvokeModel` and `ssm:ExecuteAPI`; what is not here is none.
 */
const VERBS = new Set([
  ...['BatchDescribe', 'BatchGet', 'Describe', 'Get', 'GET', 'List', 'Lookup', 'Query', 'Scan'],
  ...['Search', 'Simulate', 'View'],
])

/** By IAM prefix. A prefix that the index does not have gives nothing. */
export function readPatterns(prefix: string): ReadPatterns {
  const services = servicesOf(prefix)
  const levels = new Map(
    services.flatMap(({ iam }) =>
      Object.entries(iam.actions).map(([name, { level }]) => [name, level]),
    ),
  )
  const isRead = (name: string) => levels.get(name) === 'Read' || levels.get(name) === 'List'
  const reads = [...levels.keys()].filter((name) => isRead(name) && VERBS.has(verbOf(name)))
  const credentials = services
    .flatMap(credentialsOf)
    .concat(reads.filter((name) => /(?:Token|Credentials?)$/.test(name)))
    .filter(isRead)
  const patterns: string[] = []
  const left: string[] = []
  for (const verb of new Set(reads.map(verbOf))) {
    const wanted = reads.filter((name) => verbOf(name) === verb && !credentials.includes(name))
    const covered = [...levels.keys()].filter((name) => name.startsWith(verb))
    if (wanted.length > 1 && covered.every(isRead)) patterns.push(`${verb}*`)
    else if (wanted.length <= NAMED_MAX) patterns.push(...wanted)
    else left.push(`${verb}*`)
  }
  return {
    patterns: named(prefix, patterns),
    // A read that no pattern stands for is denied without being named.
    credentials: named(
      prefix,
      credentials.filter((name) => patterns.includes(`${verbOf(name)}*`)),
    ),
    left: named(prefix, left),
  }
}

function named(prefix: string, names: readonly string[]): string[] {
  return [...new Set(names)].map((name) => `${prefix}:${name}`).sort()
}

/** `Describe`, `Get`, `BatchGet`: the first word, with `Batch` the first two. */
function verbOf(action: string): string {
  return /^(?:Batch)?[A-Z][a-z]+/.exec(action)?.[0] ?? action
}

let byPrefix: Map<string, string[]> | undefined

function servicesOf(prefix: string): Service[] {
  if (byPrefix === undefined) {
    byPrefix = new Map()
    for (const name of signingNames()) {
      const key = serviceOf(name).prefix
      byPrefix.set(key, [...(byPrefix.get(key) ?? []), name])
    }
  }
  return (byPrefix.get(prefix) ?? []).map(serviceOf)
}

function credentialsOf(service: Service): string[] {
  return service.models.flatMap((model) =>
    Object.keys(model.operations)
      .map((name) => operationOf(model, name))
      .filter((operation): operation is Operation => operation !== undefined)
      .filter((operation) => revealsOf(service, operation, ['read'], {}) === 'credential')
      .map(({ name }) => name),
  )
}
