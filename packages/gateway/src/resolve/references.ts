// Pins what an opaque call only points at: scripts and archives in S3, container images, a template by
// address. The name is in the call, the content is not, and could be another one after the review
// (redteam C7). What cannot be pinned is said and stays opaque.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action } from '../describe/action.ts'
import { quoted } from './amounts.ts'
import { isEcrImage, pinnedImage } from './image.ts'
import type { Look } from './look.ts'
import { memberAt } from './member.ts'
import { pinnedObject, placeOfAddress } from './pinned-object.ts'
import { templateAddress } from './template-address.ts'

/** References of one call that are pinned; of more it is said that they are not. */
export const MAX_REFERENCES = 20
const DEPTH_MAX = 24

/** Operations whose template address no resolver of stacks looks at. */
const TEMPLATES = new Set(['cloudformation:CreateStackSet', 'cloudformation:UpdateStackSet'])

/** The binding of everything the call points at, or null where it points at nothing. */
export async function pinnedReferences(action: Action, look: Look): Promise<JsonObject | null> {
  if (!action.effects.includes('opaque')) return null
  const template = TEMPLATES.has(action.operation) ? await templateAddress(look, action) : null
  const found = new Set<string>()
  collect(action.parameters, 0, found)
  const all = [...found].sort()
  if (all.length > MAX_REFERENCES) {
    look.missed(`it points at more than the ${MAX_REFERENCES} objects and images that were held to`)
  }
  const references = await Promise.all(
    all.slice(0, MAX_REFERENCES).map((one) => pinned(look, action.region, one)),
  )
  if (template === null && references.length === 0) return null
  return {
    ...(template === null ? {} : { newTemplate: template }),
    ...(references.length === 0 ? {} : { references }),
  }
}

function collect(value: Json, depth: number, found: Set<string>): void {
  if (depth > DEPTH_MAX || found.size > MAX_REFERENCES) return
  if (typeof value === 'string') {
    if (/^s3:\/\/[^/]+\/./.test(value) || isEcrImage(value)) found.add(value)
  } else if (value !== null && typeof value === 'object') {
    for (const each of Object.values(value) as Json[]) collect(each, depth + 1, found)
  }
}

async function pinned(look: Look, region: string, reference: string): Promise<JsonObject> {
  if (isEcrImage(reference)) return held(reference, await pinnedImage(look, reference))
  const place = reference.endsWith('/') ? null : placeOfAddress(reference)
  if (place !== null) return held(reference, await pinnedObject(look, region, place))
  look.missed(`${quoted(reference)} is no single object, and what is in it can change`)
  return { reference, held: false }
}

/** A look that failed leaves a name, which is what the call has too; its effect is opaque already. */
function held(reference: string, look: JsonObject): JsonObject {
  return memberAt(look, 'unread') === undefined ? look : { reference, held: false }
}
