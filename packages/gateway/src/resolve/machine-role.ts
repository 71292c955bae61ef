// Looks up the roles of the machines that a command would run on: instance, instance profile, role.
// Machines chosen by tags, and those outside EC2, act under a role that is not known beforehand.
import type { JsonObject } from '@seconder/aws/call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import { formCall } from './acting-reads.ts'
import { quoted } from './amounts.ts'
import { childText, descendant, elementsNamed, type XmlTree } from './answer-xml.ts'
import type { HolderLook, Placed } from './holder-look.ts'
import type { Look } from './look.ts'
import { listAt, memberAt, textAt } from './member.ts'

/** Machines that are looked at one by one; more act under `*`. SendCommand takes 50 ids. */
export const MAX_MACHINES = 50

/** IAM has one endpoint a partition. Source: https://docs.aws.amazon.com/general/latest/gr/iam-service.html */
const IAM_REGIONS: Readonly<Record<string, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
}

export async function lookAtMachines(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const target = textAt(parameters, 'Target')
  const given = target === null ? (listAt(parameters, 'InstanceIds') ?? []) : [target]
  const ids = given.filter((id) => typeof id === 'string' && /^i-[0-9a-f]{8,17}$/.test(id))
  const all = ids.length === given.length && memberAt(parameters, 'Targets') === undefined
  if (!all || ids.length === 0 || ids.length > MAX_MACHINES) {
    look.missed('on which machines it would run, and so under which role, is not known before')
    return { binding: { role: '*' }, roles: ['*'], innerCalls: [] }
  }
  const input = Object.fromEntries(ids.map((id, at) => [`InstanceId.${at + 1}`, String(id)]))
  const looked = await look.xml(formCall(here.region, 'ec2:DescribeInstances', input), [])
  const instances = looked.found === 'yes' ? instancesIn(looked.value) : null
  if (instances === null || instances.length !== ids.length) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    const mark = look.missedBecause('the machines it would run on', why)
    return { binding: mark, roles: ['*'], innerCalls: [] }
  }
  const profiles = [...new Set(instances.map(profileOf).filter((one) => one !== null))].sort()
  const roles = await Promise.all(profiles.map((profile) => roleOfProfile(look, here, profile)))
  const distinct = [...new Set(roles.flat())].sort()
  return {
    binding: { machines: given, profiles, roles: distinct },
    roles: distinct,
    innerCalls: [],
  }
}

function instancesIn(tree: XmlTree): XmlTree[] {
  const reservations = descendant(tree, ['reservationSet'])
  const items = reservations === null ? [] : elementsNamed(reservations, 'item')
  return items.flatMap((item) => {
    const set = descendant(item, ['instancesSet'])
    return set === null ? [] : elementsNamed(set, 'item')
  })
}

function profileOf(instance: XmlTree): string | null {
  const profile = descendant(instance, ['iamInstanceProfile'])
  return profile === null ? null : (childText(profile, 'arn') ?? '*')
}

async function roleOfProfile(look: Look, here: Placed, profile: string): Promise<string[]> {
  const name = profile.slice(profile.lastIndexOf('/') + 1)
  const region = IAM_REGIONS[partitionOf(here.region) ?? '']
  if (region === undefined || profile === '*') return ['*']
  const input = { InstanceProfileName: name }
  const looked = await look.xml(formCall(region, 'iam:GetInstanceProfile', input), [])
  const found =
    looked.found === 'yes'
      ? descendant(looked.value, ['GetInstanceProfileResult', 'InstanceProfile', 'Roles'])
      : null
  const arns =
    found === null ? [] : elementsNamed(found, 'member').map((one) => childText(one, 'Arn'))
  const sure = arns.filter((arn) => arn !== null)
  if (looked.found === 'yes' && found !== null && sure.length === arns.length) return sure
  look.missedBecause(
    `the role of instance profile ${quoted(name)}`,
    looked.found === 'unknown' ? looked.why : 'unreadable',
  )
  return ['*']
}
