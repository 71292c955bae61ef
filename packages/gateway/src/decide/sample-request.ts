// For tests alone: an Action, a context and a policy set to vary from, and the policy files of the
// repository. The values are examples; nothing here is read while the gate runs.
import { readdirSync, readFileSync } from 'node:fs'
import type { Action, Resource } from '../describe/action.ts'
import type { DecideContext } from './decision.ts'
import { loadPolicySet, type PolicySet, type PolicySources } from './policy-set.ts'

const REPOSITORY = new URL('../../../../', import.meta.url)

export const CONTEXT: DecideContext = {
  agent: 'kiro-cli',
  operator: 'alice',
  role: 'deploy',
  isolation: 'user',
  breakGlass: false,
}

export const TABLE: Resource = {
  arn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
  type: 'table',
  account: '123456789012',
  region: 'eu-west-1',
  environment: 'production',
  resolved: true,
}

/** A DeleteTable on the production table, with these fields changed. */
export function sampleAction(changes: Partial<Action> = {}): Action {
  return {
    door: 'aws',
    operation: 'dynamodb:DeleteTable',
    iamActions: ['dynamodb:DeleteTable'],
    resources: [TABLE],
    effects: ['destroy'],
    reveals: 'nothing',
    recoverable: 'no',
    service: 'dynamodb',
    account: '123456789012',
    region: 'eu-west-1',
    parameters: { TableName: 'orders' },
    body: null,
    ...changes,
  }
}

/** The sources of a policy folder of the repository, such as `policies` or `lab/policies`. */
export function folderSources(folder: string): PolicySources {
  const policies = readdirSync(new URL(`${folder}/`, REPOSITORY))
    .filter((file) => file.endsWith('.cedar'))
    .map((file) => ({ file, text: readText(`${folder}/${file}`) }))
  return { schema: readText(`${folder}/schema.cedarschema`), policies }
}

export function readText(path: string): string {
  return readFileSync(new URL(path, REPOSITORY), 'utf8')
}

/** A set of this policy text under the schema that is shipped. */
export function setOf(text: string, schema = readText('policies/schema.cedarschema')) {
  return loadPolicySet({ schema, policies: [{ file: 'test.cedar', text }] })
}

/** The default set, loaded once for a test file. */
export function defaultSet(): Promise<PolicySet> {
  return loadPolicySet(folderSources('policies'))
}
