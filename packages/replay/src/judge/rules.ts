// What a trail is tried on: a policy set, and the operator's configuration where there is one. The gate
// loads the same files with the same code.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig } from '@seconder/gateway/config'
import type { DecideContext } from '@seconder/gateway/decide/decision'
import { loadPolicySet, type PolicySet } from '@seconder/gateway/decide/policy-set'
import type { PlaceRules } from '@seconder/gateway/describe/environments'
import { readPolicies } from '@seconder/gateway/epoch/content'
import { ownAccounts, protectedRows } from '@seconder/gateway/epoch/protected'
import { readRoleReach } from '@seconder/gateway/epoch/role-reach'
import { ReplayError } from '../errors.ts'

export interface Rules {
  /** What they were loaded from, for the report. */
  readonly from: string
  readonly policySet: PolicySet
  readonly places: PlaceRules
  /** Role ARN to the name that policies know it by. */
  readonly roleNames: ReadonlyMap<string, string>
  /** True where environments come from a configuration; else all is production. */
  readonly isConfigured: boolean
  readonly isolation: DecideContext['isolation']
  /** Files that, changed, make other rules. */
  readonly watched: readonly string[]
}

/** The set shipped with Seconder. */
export const SHIPPED = join(import.meta.dirname, '..', '..', '..', '..', 'policies')

/**
 * From a folder of policies, or a seconder.yaml with environments, roles and the policies it names.
 * Errors: PolicyError and `invalid_config` of the gate; `no_policy` where nothing is at the path.
 */
export async function loadRules(
  path: string = SHIPPED,
  isolation: DecideContext['isolation'] = 'user',
): Promise<Rules> {
  if (isFolder(path)) {
    const policySet = await loadPolicySet(readPolicies(path))
    const places = { environments: [], roleReach: {} }
    const from = path === SHIPPED ? 'the shipped policies' : path
    const bare = { from, policySet, places, roleNames: new Map(), isConfigured: false }
    return { ...bare, isolation, watched: filesOf(path) }
  }
  const config = configOf(path)
  const policySet = await loadPolicySet(readPolicies(config.policiesDirectory))
  const reach = config.roleReachPath
  const names = Object.entries(config.roles).map(([name, { arn }]) => [arn, name] as const)
  return {
    from: path,
    policySet,
    places: {
      environments: config.environments,
      roleReach: reach === undefined ? {} : readRoleReach(reach),
      protect: protectedRows(config, null),
      accounts: ownAccounts(config, null),
    },
    roleNames: new Map(names),
    isConfigured: true,
    isolation,
    watched: [path, ...(reach === undefined ? [] : [reach]), ...filesOf(config.policiesDirectory)],
  }
}

/** Replay calls nobody, so that the gate's own credentials, if they are named, are not needed. */
const NO_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'replay', AWS_SECRET_ACCESS_KEY: 'replay' }

function configOf(path: string): Config {
  return loadConfig(path, { ...NO_CREDENTIALS, ...WEB_IDENTITY })
}

/** What the configuration asks for where it names a token: never read. */
const WEB_IDENTITY = { AWS_WEB_IDENTITY_TOKEN_FILE: '-', AWS_ROLE_ARN: '-' }

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (cause) {
    throw new ReplayError('no_policy', `there is nothing at \`${path}\``, { cause })
  }
}

function filesOf(folder: string): string[] {
  const isPolicy = (name: string) => name.endsWith('.cedar') || name.endsWith('.cedarschema')
  // The folder's own time changes when a file comes or goes.
  return [
    folder,
    ...readdirSync(folder)
      .filter(isPolicy)
      .map((name) => join(folder, name)),
  ]
}

/**
 * Whether the answer to a call can depend on the names of what it touches. Where it cannot, calls that
 * differ in nothing else have one answer.
 */
export function readsNames({ policySet, isConfigured }: Rules): boolean {
  return (
    isConfigured ||
    [...policySet.slices.values()].some(({ resourceFacts }) => resourceFacts.has('arn'))
  )
}

/** Whether it can depend on who calls. */
export function readsPrincipal({ policySet }: Rules): boolean {
  return [...policySet.slices.values()].some(({ principalFacts }) => principalFacts.length > 0)
}
