// Says whether an operation's output model holds a credential by the names of its members: the rule
// of redteam C4 for operations that no table lists. Build time only, from output models.

import type { Shape } from '../src/index/model.ts'

/** How deep an output model is searched; deeper members are descriptions of descriptions. */
const OUTPUT_DEPTH_MAX = 6

/** Compared with a member name in lower case, without `_` and `-`. */
const CREDENTIAL_NAMES = anyOf(
  '.*(?:secretaccesskey|sessiontoken|securitytoken|accesstoken|refreshtoken|idtoken|authtoken)',
  '.*(?:authorizationtoken|bearertoken|presignedurl|signedurl|privatekey|plaintextkey)',
  '.*(?:clientsecret|password|passwordencrypted|jointoken|participanttoken|signedrequest)',
  'token|secret|secretstring|secretbinary|secretvalue|apikey|apikeyvalue|authorizationdata',
  'tokenvalue|streamurl|presignedurls|uploadurl|downloadurl|embedurl|signinurl|loginurl|plaintext',
)

/** Names that end like a token but only page through results or pick a version. */
const HARMLESS_NAMES = anyOf(
  '.*(?:next|continuation|pagination|page|client|idempotency|revision|lock|update|request)token',
  '.*(?:start|starting|change|sequence|list|creation|previous|prior|forward|backward|etag)token',
  '.*(?:evaluation|task|sync|cursor|upload)token|marker',
  '.*(?:haspassword|passwordpolicy|resetpassword|passwordlastused|changepassword)',
  '.*(?:masteruserpassword|passworddata)',
)

function anyOf(...names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.join('|')})$`)
}

/**
 * A bare `token` is a credential only beside nothing that pages: these siblings make it a page
 * mark.
 */
const PAGE_SIBLINGS = /^(?:items|.*list|.*s)$/

/**
 * True where a member of the output, at any depth up to OUTPUT_DEPTH_MAX, is named as a credential.
 */
export function answersCredential(
  output: Shape | undefined,
  shapes: Readonly<Record<string, Shape>>,
): boolean {
  return output !== undefined && holds(output, shapes, 0, new Set())
}

function holds(
  shape: Shape,
  shapes: Readonly<Record<string, Shape>>,
  depth: number,
  seen: Set<string>,
): boolean {
  if (depth > OUTPUT_DEPTH_MAX) return false
  if (shape.shape !== undefined) {
    const named = shapes[shape.shape]
    if (named === undefined || seen.has(shape.shape)) return false
    seen.add(shape.shape)
    return holds(named, shapes, depth, seen)
  }
  const members = Object.entries(shape.members ?? {})
  const names = members.map(([name]) => name.toLowerCase())
  for (const [name, member] of members) {
    if (isCredentialName(name, names) && isText(member, shapes)) return true
    if (holds(member, shapes, depth + 1, seen)) return true
  }
  const inner = shape.member ?? shape.value
  return inner !== undefined && holds(inner, shapes, depth + 1, seen)
}

function isCredentialName(name: string, siblings: readonly string[]): boolean {
  const plain = name.toLowerCase().replace(/[_-]/g, '')
  if (HARMLESS_NAMES.test(plain) || !CREDENTIAL_NAMES.test(plain)) return false
  if (plain !== 'token') return true
  return !siblings.some((sibling) => sibling !== 'token' && PAGE_SIBLINGS.test(sibling))
}

/** Only text and bytes carry a credential; a structure of that name is searched by its members. */
function isText(member: Shape, shapes: Readonly<Record<string, Shape>>): boolean {
  const resolved = member.shape === undefined ? member : (shapes[member.shape] ?? member)
  const type = resolved.type ?? 'string'
  return type === 'string' || type === 'blob'
}
