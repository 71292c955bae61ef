// All kinds of things that are looked at by a table, found by operation and by CloudFormation type, and
// the closed list of reads that follows from them.

import { ASYNCHRONOUS } from '@seconder/aws/asynchronous'
import type { Kind, Touch } from './kind.ts'
import { DATABASE_KINDS } from './kinds-databases.ts'
import { MACHINE_KINDS } from './kinds-machines.ts'
import { NETWORK_KINDS } from './kinds-networks.ts'
import { RIGHTS_KINDS } from './kinds-rights.ts'
import { STORE_KINDS } from './kinds-stores.ts'
import type { ReadName } from './model-read.ts'

export const KINDS: readonly Kind[] = [
  ...DATABASE_KINDS,
  ...MACHINE_KINDS,
  ...NETWORK_KINDS,
  ...STORE_KINDS,
  ...RIGHTS_KINDS,
]

/** Recovery points that AWS Backup has of a resource, and tags of any resource by its ARN.
 * Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByResource.html
 * and https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html */
export const RECOVERY_POINTS: ReadName = 'backup:ListRecoveryPointsByResource'
export const TAGS: ReadName = 'tagging:GetResources'
/** Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html */
export const RECORDS: ReadName = 'route53:ListResourceRecordSets'

/** Every read that these tables can make; nothing else passes (read-call.ts). */
export const KIND_READS: ReadonlySet<ReadName> = new Set([
  RECOVERY_POINTS,
  TAGS,
  RECORDS,
  ...Object.values(ASYNCHRONOUS).map(({ read }) => read),
  ...KINDS.flatMap((kind) => [
    kind.read,
    ...(kind.backups ?? []).map(({ read }) => read),
    ...(kind.more ?? []).map(({ read }) => read),
  ]),
])

/** Two APIs of one signing name may have an operation of one name: then the parameters tell. */
export interface KindTouched {
  readonly kind: Kind
  readonly touch: Touch
}

const BY_OPERATION = Map.groupBy(
  KINDS.flatMap((kind) =>
    Object.entries(kind.touches).map(([operation, touch]) => ({ operation, kind, touch })),
  ),
  ({ operation }) => operation,
)

/** Every operation of the tables. */
export const TOUCHING: readonly string[] = [...BY_OPERATION.keys()]

export function kindsTouchedBy(operation: string): readonly KindTouched[] {
  return BY_OPERATION.get(operation) ?? []
}

const BY_TYPE = new Map(KINDS.flatMap((kind) => (kind.types ?? []).map((type) => [type, kind])))

export function kindOfType(type: string): Kind | undefined {
  return BY_TYPE.get(type)
}
