// Reads rules from files: a folder of policies, or the operator's configuration. The gate loads the same files
// with the same code.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { configWithoutCredentials } from '@seconder/gateway/config-without-credentials'
import type { DecideContext } from '@seconder/gateway/decide/decision'
import { loadPolicySet } from '@seconder/gateway/decide/policy-set'
import { readPolicies } from '@seconder/gateway/epoch/content'
import { ownAccounts, protectedRows } from '@seconder/gateway/epoch/protected'
import { readRoleReach } from '@seconder/gateway/epoch/role-reach'
import { ReplayError } from '../errors.ts'
import { type Rules, rulesOf } from './rules.ts'

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
  const config = configWithoutCredentials(path)
  const reach = config.roleReachPath
  const content = {
    ...readPolicies(config.policiesDirectory),
    environments: config.environments,
    roles: config.roles,
    roleReach: reach === undefined ? {} : readRoleReach(reach),
    protect: protectedRows(config, null),
    ownAccounts: ownAccounts(config, null),
  }
  const rules = await rulesOf(content, path, isolation)
  const files = filesOf(config.policiesDirectory)
  return { ...rules, watched: [path, ...(reach === undefined ? [] : [reach]), ...files] }
}

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
