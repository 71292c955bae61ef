// Reads the service and resource control policies of an organization: one JSON file that the script in
// docs/roles.md puts together, and which policies hold for an account, level by level from the root.
// Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html

import { PolicyError } from '@seconder/aws/iam/errors'
import { type Policy, parsePolicy } from '@seconder/aws/iam/policy'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { z } from 'zod'
import type { Fault } from './estate.ts'

export const ORGANIZATION_BYTES_MAX = 64 * 1024 * 1024
/** The root, five levels of units, and the account. Source: orgs_reference_limits.html */
const LEVELS_MAX = 8

const FILE = z.looseObject({
  Id: z.string().optional(),
  ManagementAccountId: z.string().regex(/^\d{12}$/),
  Policies: z.array(
    z.looseObject({
      Id: z.string(),
      Name: z.string().optional(),
      Type: z.string(),
      Content: z.union([z.string(), z.record(z.string(), z.json())]),
    }),
  ),
  Targets: z.array(
    z.looseObject({
      Id: z.string(),
      ParentId: z.string().nullable(),
      Policies: z.array(z.string()),
    }),
  ),
})

/** What holds for the principals (`scps`) and the resources (`rcps`) of an account, root first. */
export interface Levels {
  readonly scps: readonly (readonly Policy[])[]
  readonly rcps: readonly (readonly Policy[])[]
}

export interface Organization {
  /** `o-...`; null where the file does not say. */
  readonly id: string | null
  /** Empty where the file could not be read. */
  readonly managementAccount: string
  readonly levels: ReadonlyMap<string, Levels>
  readonly faults: readonly Fault[]
}

type Kind = 'scp' | 'rcp'
const KINDS: Readonly<Record<string, Kind>> = {
  SERVICE_CONTROL_POLICY: 'scp',
  RESOURCE_CONTROL_POLICY: 'rcp',
}

/** Policies of AWS that every organization has and that allow all. */
const FULL: Readonly<Record<string, Kind>> = {
  'p-FullAWSAccess': 'scp',
  'p-RCPFullAWSAccess': 'rcp',
}

/** Never throws for what stands in the file; what cannot be used is a fault and then binds nobody. */
export function readOrganization(name: string, bytes: Uint8Array): Organization {
  const faults: Fault[] = []
  const fault = (where: string, what: string): void => {
    faults.push({ kind: 'organization', where: `${name}${where}`, what })
  }
  const file = fileOf(bytes, fault)
  if (file === null) return { id: null, managementAccount: '', levels: new Map(), faults }
  const policies = new Map<string, { kind: Kind; policy: Policy }>()
  for (const [id, kind] of Object.entries(FULL)) policies.set(id, { kind, policy: full(id, kind) })
  for (const { Id, Name, Type, Content } of file.Policies) {
    const kind = KINDS[Type]
    if (kind === undefined) continue // tag, backup and other policies permit and deny nothing
    try {
      policies.set(Id, { kind, policy: parsePolicy(Content, kind, Name ?? Id) })
    } catch (cause) {
      if (!(cause instanceof PolicyError)) throw cause
      fault(`: ${Id}`, `the policy cannot be read: ${cause.message}`)
    }
  }
  const targets = new Map(file.Targets.map((target) => [target.Id, target]))
  const hasRcps = file.Targets.some((target) =>
    target.Policies.some((id) => policies.get(id)?.kind === 'rcp'),
  )
  const levels = new Map<string, Levels>()
  for (const target of file.Targets) {
    if (!/^\d{12}$/.test(target.Id)) continue
    const chain = chainOf(target.Id, targets)
    if (chain === null) fault(`: ${target.Id}`, 'its parents do not lead to a root')
    for (const id of (chain ?? []).flatMap(({ Policies }) => Policies)) {
      if (!policies.has(id)) fault(`: ${target.Id}`, `the attached policy ${id} is not in the file`)
    }
    // Neither kind holds in the management account.
    const own = target.Id === file.ManagementAccountId ? [] : (chain ?? [])
    const ofKind = (kind: Kind) =>
      own.map(({ Policies }) =>
        Policies.flatMap((id) => {
          const found = policies.get(id)
          return found?.kind === kind ? [found.policy] : []
        }),
      )
    // A level without one that can be read would deny everything: it is left out and was named.
    const scps = ofKind('scp').filter((level) => level.length > 0)
    const rcps = hasRcps ? ofKind('rcp').filter((level) => level.length > 0) : []
    levels.set(target.Id, { scps, rcps })
  }
  return { id: file.Id ?? null, managementAccount: file.ManagementAccountId, levels, faults }
}

type Target = z.infer<typeof FILE>['Targets'][number]

/** Root first; null where it does not end at a root. */
function chainOf(account: string, targets: ReadonlyMap<string, Target>): Target[] | null {
  const chain: Target[] = []
  let at = targets.get(account)
  while (at !== undefined && chain.length < LEVELS_MAX) {
    chain.unshift(at)
    if (at.ParentId === null) return chain
    at = targets.get(at.ParentId)
  }
  return null
}

function full(id: string, kind: Kind): Policy {
  const statement = { Effect: 'Allow', Action: '*', Resource: '*' }
  const document = kind === 'rcp' ? { ...statement, Principal: '*' } : statement
  return parsePolicy({ Version: '2012-10-17', Statement: [document] }, kind, id)
}

function fileOf(
  bytes: Uint8Array,
  fault: (where: string, what: string) => void,
): z.infer<typeof FILE> | null {
  try {
    const parsed = FILE.safeParse(parseStrictJson(bytes, { maxBytes: ORGANIZATION_BYTES_MAX }))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    fault('', `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`)
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    fault('', `not one JSON value: ${cause.code}`)
  }
  return null
}
