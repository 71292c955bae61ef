// Reads a Cloud Control call: the type and what is asked of it become the call of the type's own
// service. Types are rows of data/tables/acts-for-others.json; an update is never read whole.
// Source: https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations.html

import type { Json, JsonObject } from '../call.ts'
import type { ControlledType } from '../index/model.ts'
import { type Drafts, objectIn, textIn } from './drafts.ts'

export function readCloudControl(
  parameters: JsonObject,
  drafts: Drafts,
  types: Readonly<Record<string, ControlledType>>,
): void {
  const name = textIn(parameters, 'TypeName') ?? ''
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  if (type === undefined) {
    drafts.hide()
    return
  }
  const { sdk } = type
  const role = textIn(parameters, 'RoleArn') ?? null
  const identifier = textIn(parameters, 'Identifier')
  const identity: JsonObject =
    identifier === undefined || identifier.includes('|') ? {} : identified(type, identifier)
  const at = 'TypeName'
  if ('DesiredState' in parameters) {
    const state = objectIn(parameters['DesiredState'])
    if (state === undefined) drafts.hide()
    drafts.add({ sdk, api: type.create, parameters: state ?? {}, role, at })
  } else if ('PatchDocument' in parameters) {
    // What a patch changes need not be what the service's own call changes, and may replace the thing.
    drafts.hide()
    if (type.update !== undefined) {
      drafts.add({ sdk, api: type.update, parameters: identity, role, at })
    }
  } else drafts.add({ sdk, api: type.delete, parameters: identity, role, at })
}

function identified({ id, list }: ControlledType, identifier: string): JsonObject {
  const value: Json = list === true ? [identifier] : identifier
  return { [id]: value }
}
