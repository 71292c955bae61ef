// What the decoders of the protocols share: the model they read by, whether unknown members are
// refused (non-reads) or ignored (reads), and the refusals themselves.

import { CallError, quoted } from '../call-errors.ts'
import type { Model, Shape } from '../index/model.ts'

export interface Decoding {
  readonly model: Model
  /** True for anything but a read: a member that no model knows is refused, not ignored. */
  readonly strict: boolean
}

export const SHAPE_DEPTH_MAX = 64

/** `unknown_member` on a non-read, nothing on a read. */
export function unknownMember(decoding: Decoding, member: string): void {
  if (decoding.strict) {
    throw new CallError('unknown_member', `no model knows the member ${quoted(member)}`)
  }
}

export function wrongType(member: string, wanted: string): CallError {
  return new CallError('wrong_type', `${quoted(member)} is not a ${wanted}`)
}

export function repeated(member: string): CallError {
  return new CallError('repeated_member', `${quoted(member)} is there twice`)
}

export function tooDeep(): CallError {
  return new CallError('body_too_deep', 'the members nest too deep')
}

export type WireNames = ReadonlyMap<string, readonly [name: string, shape: Shape]>

/**
 * Name on the wire to the member's model name and shape, for members of the body. Kept in the
 * map of the protocol: within it one model always names one structure's members in one way.
 */
export function bodyMembers(
  members: Readonly<Record<string, Shape>>,
  wireName: (name: string, member: Shape) => string,
  kept: WeakMap<object, WireNames>,
): WireNames {
  const known = kept.get(members)
  if (known !== undefined) return known
  const byWireName = new Map<string, readonly [string, Shape]>()
  for (const [name, member] of Object.entries(members)) {
    if (member.location === undefined) byWireName.set(wireName(name, member), [name, member])
  }
  kept.set(members, byWireName)
  return byWireName
}
