// Everything that decides, as one value with one hash: policies, schema, environments, roles, modes,
// the protected list, the index and override tables, and the build of describe, resolve and decide (red team H3).
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { JsonObject } from '@seconder/aws/call'
import type { Config, EnvironmentRow, RoleRow } from '../config.ts'
import type { RoleReach } from '../describe/environments.ts'
import type { ProtectedRow } from '../describe/guarded.ts'
import { GatewayError } from '../errors.ts'
import { canonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import { type RetentionConfig, type WitnessDemand, witnessDemand } from '../record/record-config.ts'
import { ownAccounts, protectedRows } from './protected.ts'
import { readRoleReach } from './role-reach.ts'

/** Bytes of all policy files together. */
export const POLICY_BYTES_MAX = 4 * 1024 * 1024

export interface EpochContent {
  readonly schema: string
  readonly policies: readonly { readonly file: string; readonly text: string }[]
  readonly environments: readonly EnvironmentRow[]
  readonly roles: Readonly<Record<string, RoleRow>>
  /** Absent in epochs that were signed without it: then no role's reach is known. */
  readonly roleReach?: RoleReach
  /** What the gate stands on (red team M13), and the accounts that are its operator's own (M8). */
  readonly protect?: readonly ProtectedRow[]
  readonly ownAccounts?: readonly string[]
  /** Whose signatures a change of people needs; absent = any two. */
  readonly membership?: { readonly signedBy: readonly string[] }
  /** Present where break-glass is on; policies must allow it all the same. */
  readonly breakGlass?: true
  /** Present where what was reviewed waits for witnesses of the ledger. */
  readonly witnessed?: WitnessDemand
  /** Present where payloads beside the ledger are dropped when they are this old. */
  readonly retention?: RetentionConfig
  /** SHA-256 over the compiled tables and the source of describe, resolve and decide. */
  readonly build: string
}

export interface VersionedContent {
  readonly content: EpochContent
  readonly text: string
  /** SHA-256 (hex) of `text`. */
  readonly version: string
}

/**
 * Returns what the files on disk would decide with; `own` is the gate's own ARN, null where nobody could be
 * asked. Errors: `invalid_config` naming the folder.
 */
export function contentOnDisk(config: Config, own: string | null): VersionedContent {
  return versioned({
    ...readPolicies(config.policiesDirectory),
    environments: config.environments,
    roles: config.roles,
    roleReach: config.roleReachPath === undefined ? {} : readRoleReach(config.roleReachPath),
    protect: protectedRows(config, own),
    ownAccounts: ownAccounts(config, own),
    ...(config.review.breakGlass === true && { breakGlass: true as const }),
    ...(config.membership && { membership: config.membership }),
    ...witnessDemand(config),
    ...(config.retention && { retention: config.retention }),
    build: buildHash(),
  })
}

export function versioned(content: EpochContent): VersionedContent {
  const text = canonicalJson(JSON.parse(JSON.stringify(content)) as JsonObject)
  return { content, text, version: sha256Hex(text) }
}

export function readPolicies(directory: string): Pick<EpochContent, 'schema' | 'policies'> {
  let names: string[]
  try {
    names = readdirSync(directory).sort()
  } catch (cause) {
    throw new GatewayError(
      'invalid_config',
      `cannot read the policies in \`${directory}\``,
      'see `policies:` in seconder.yaml',
      { cause },
    )
  }
  const schemaFile = names.find((name) => name.endsWith('.cedarschema'))
  const policies = names
    .filter((name) => name.endsWith('.cedar'))
    .map((file) => ({ file, text: readFileSync(join(directory, file), 'utf8') }))
  const bytes = policies.reduce((sum, { text }) => sum + text.length, 0)
  if (!schemaFile || policies.length === 0 || bytes > POLICY_BYTES_MAX) {
    throw new GatewayError(
      'invalid_config',
      `\`${directory}\` needs one .cedarschema and at least one .cedar file, at most ${POLICY_BYTES_MAX} bytes`,
      'copy the folder policies/ and change it',
    )
  }
  return { schema: readFileSync(join(directory, schemaFile), 'utf8'), policies }
}

const SOURCE_ROOT = join(import.meta.dirname, '..')
const AWS_ROOT = join(import.meta.dirname, '..', '..', '..', 'aws')

let loadedBuild: string | undefined

/** SHA-256 over names and contents of everything that describes and decides, as this process loaded it. */
export function buildHash(): string {
  loadedBuild ??= hashBuild()
  return loadedBuild
}

function hashBuild(): string {
  const hash = createHash('sha256')
  const folders = [
    join(AWS_ROOT, 'src'),
    join(AWS_ROOT, 'data'),
    ...['describe', 'resolve', 'decide'].map((stage) => join(SOURCE_ROOT, stage)),
  ]
  for (const folder of folders) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && !file.name.endsWith('.test.ts'))
      .map((file) => join(file.parentPath, file.name))
      .sort()
    for (const file of files) {
      hash
        .update(`${basename(folder)}/${relative(folder, file)}\0`)
        .update(readFileSync(file))
        .update('\0')
    }
  }
  return hash.digest('hex')
}
