// What the tags of a thing say to a reviewer: its name, the stack that it belongs to, and that it is
// production. A tag may raise, never lower; no other tag is kept (a value may be anything).
import type { Json, JsonObject } from '@seconder/aws/call'
import { quoted } from './amounts.ts'
import { objectsAt, oneText } from './answer-member.ts'
import { arnOf } from './backups.ts'
import type { Kind, Place, Target } from './kind.ts'
import { TAGS } from './kinds.ts'
import type { Look } from './look.ts'
import { readModel } from './model-look.ts'

export interface TagLook {
  readonly owners: readonly string[]
  readonly notes: readonly string[]
  readonly production: boolean
}

const NOTHING: TagLook = { owners: [], notes: [], production: false }

/** Keys that people use for where a thing belongs, compared without case. */
const ENVIRONMENT_KEYS = /^(env|environment|stage|tier|deployment[-_]?environment)$/i
const PRODUCTION = /^(p|prd|prod|production|live)$/i

/** `alone`: it is touched by itself, so that a stack it belongs to would be left out of step. */
export async function lookAtTags(
  look: Look,
  place: Place,
  kind: Kind,
  target: Target,
  described: JsonObject,
  alone: boolean,
): Promise<TagLook> {
  if (kind.tags !== undefined) return said(pairsAt(described, kind.tags), alone)
  const arn = alone ? arnOf(kind, place, target, described) : null
  if (arn === null) return NOTHING
  const input = { ResourceARNList: [arn] }
  const looked = await readModel(look, place.region, TAGS, input, [])
  if (looked.found === 'unknown') {
    look.missedBecause(`the tags of ${kind.noun} ${quoted(target.name)}`, looked.why)
    return NOTHING
  }
  if (looked.found === 'no') return NOTHING
  return said(pairsAt(looked.value, 'ResourceTagMappingList.Tags'), alone)
}

/** Pairs of a list (`Key`, `key`), or of a map. */
function pairsAt(answer: Json, path: string): [string, string][] {
  return objectsAt(answer, path).flatMap((one): [string, string][] => {
    const key = oneText(one, 'Key') ?? oneText(one, 'key')
    if (key !== null) return [[key, oneText(one, 'Value') ?? oneText(one, 'value') ?? '']]
    return Object.entries(one).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value]] : [],
    )
  })
}

function said(pairs: readonly [string, string][], alone: boolean): TagLook {
  const value = (wanted: string) => pairs.find(([key]) => key === wanted)?.[1] ?? ''
  const name = value('Name')
  // Only CloudFormation can write tags that begin with `aws:`.
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
  const stack = alone ? value('aws:cloudformation:stack-name') : ''
  const production = pairs.filter(
    ([key, one]) => ENVIRONMENT_KEYS.test(key) && PRODUCTION.test(one),
  )
  return {
    owners: stack === '' ? [] : [`stack ${quoted(stack)}`],
    notes: [
      ...(name === '' ? [] : [`named ${quoted(name)}`]),
      ...production.map(([key, one]) => `its tag ${quoted(key)} says ${quoted(one)}`),
      ...(stack === ''
        ? []
        : [`it belongs to stack ${quoted(stack)}: changed here, the stack is left out of step`]),
    ],
    production: production.length > 0,
  }
}
