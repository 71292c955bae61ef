// Looks at a stack's template: its hash (binding) and which resources it keeps when they are deleted
// from the stack. What cannot be read keeps nothing.
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@seconder/aws/call'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { parse as parseYaml, YAMLError } from 'yaml'
import { quoted } from './amounts.ts'
import { childText, descendant } from './answer-xml.ts'
import type { Look } from './look.ts'
import { asObject, objectAt, textAt } from './member.ts'
import { cloudformationCall } from './read-call.ts'

/** Longest template that is read. A template has at most 1 MB; its answer is escaped XML.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const MAX_TEMPLATE_BYTES = 1024 * 1024
/** Longest YAML that is parsed: its parser takes some 3 s for 1 MB, and the gate would stand still. */
export const MAX_YAML_BYTES = 64 * 1024
/** Most uses of YAML aliases, so that a short template cannot unfold without end. */
const MAX_ALIASES = 100

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html */
export type DeletionPolicy = 'delete' | 'retain' | 'snapshot'

export interface TemplateLook {
  /** `{sha256}` or `{unread}`. */
  readonly identity: JsonObject
  /** By logical id; what is not in it is deleted. */
  readonly policies: ReadonlyMap<string, DeletionPolicy>
}

/** The template as CloudFormation runs it, transforms done. */
export async function lookAtTemplate(
  look: Look,
  region: string,
  stackName: string,
): Promise<TemplateLook> {
  const what = `the template of stack ${quoted(stackName)}`
  const input = { StackName: stackName, TemplateStage: 'Processed' }
  const looked = await look.xml(cloudformationCall(region, 'GetTemplate', input), [])
  const result = looked.found === 'yes' ? descendant(looked.value, ['GetTemplateResult']) : null
  const body = result === null ? null : childText(result, 'TemplateBody')
  if (body === null || Buffer.byteLength(body) > MAX_TEMPLATE_BYTES) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    return { identity: look.missedBecause(what, why), policies: new Map() }
  }
  const sha256 = createHash('sha256').update(body, 'utf8').digest('hex')
  const resources = objectAt(parsedDocument(body), 'Resources')
  if (resources === null) {
    look.missed(`could not read what ${what} keeps when it is deleted`)
    return { identity: { sha256 }, policies: new Map() }
  }
  return { identity: { sha256 }, policies: policiesOf(resources) }
}

function policiesOf(resources: JsonObject): Map<string, DeletionPolicy> {
  const policies = new Map<string, DeletionPolicy>()
  for (const logicalId of Object.keys(resources)) {
    const resource = objectAt(resources, logicalId)
    const policy = textAt(resource, 'DeletionPolicy') ?? defaultPolicy(resource)
    // RetainExceptOnCreate deletes only while its stack is rolled back from being made.
    if (policy === 'Retain' || policy === 'RetainExceptOnCreate') policies.set(logicalId, 'retain')
    if (policy === 'Snapshot') policies.set(logicalId, 'snapshot')
  }
  return policies
}

/** Databases are snapshotted where nothing is said: the page of DeletionPolicy, under "Delete". */
function defaultPolicy(resource: JsonObject | null): string | null {
  const type = textAt(resource, 'Type')
  if (type === 'AWS::RDS::DBCluster') return 'Snapshot'
  if (type !== 'AWS::RDS::DBInstance') return null
  const inCluster = objectAt(resource, 'Properties')?.['DBClusterIdentifier'] !== undefined
  return inCluster ? null : 'Snapshot'
}

/** Null where the text is not one document of one reading, or longer than its parser may take. */
export function parsedDocument(body: string): JsonObject | null {
  if (body.trimStart().startsWith('{')) return parsedJson(body)
  return Buffer.byteLength(body) > MAX_YAML_BYTES ? null : parsedYaml(body)
}

function parsedJson(body: string): JsonObject | null {
  try {
    return asObject(parseStrictJson(body))
  } catch (error) {
    if (error instanceof StrictJsonError) return null
    throw error
  }
}

/** Short forms (`!Ref`) are read as their bare values: only literal policies matter here. */
function parsedYaml(body: string): JsonObject | null {
  try {
    const options = { logLevel: 'error', maxAliasCount: MAX_ALIASES, uniqueKeys: true } as const
    return asObject(parseYaml(body, options) as Json)
  } catch (error) {
    // The library throws ReferenceError past the alias limit, RangeError where nesting is too deep.
    if (error instanceof YAMLError) return null
    if (error instanceof ReferenceError || error instanceof RangeError) return null
    throw error
  }
}
