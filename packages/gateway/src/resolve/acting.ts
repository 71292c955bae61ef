// Looks behind a call that acts for others: the role that would really act, the code or document it
// would run, and the calls found in it, several stored things deep. Makes the acting part of an Evidence,
// which only ever makes an action stricter (redteam C7, H7, H8).
import { createHash } from 'node:crypto'
import type { InnerCall, Json, JsonObject } from '@seconder/aws/call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import { describeDrafts } from '@seconder/aws/inner-calls/acting'
import { Drafts } from '@seconder/aws/inner-calls/drafts'
import { readAutomation } from '@seconder/aws/inner-calls/ssm-document'
import type { Action } from '../describe/action.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { actingCall } from './acting-reads.ts'
import { quoted } from './amounts.ts'
import { lookAtHolder } from './holder.ts'
import { pinnedImage } from './image.ts'
import type { Look } from './look.ts'
import { asObject, memberAt, objectAt, textAt } from './member.ts'
import { pinnedObject } from './pinned-object.ts'
import { pinnedReferences } from './references.ts'
import { parsedDocument } from './template.ts'

/** Stored things that one action may run, which are looked at; more act under `*`. */
export const MAX_HOLDERS = 20
/** How far it is followed what a stored thing starts in turn. */
export const MAX_HOLDER_DEPTH = 3

export interface ActingLook {
  readonly binding: JsonObject
  readonly actsUnder: readonly string[]
  readonly innerCalls: readonly InnerCall[]
}

interface Held {
  readonly holder: string
  readonly parameters: JsonObject
}

/** Null for an action that acts for nobody. */
export async function lookAtActing(action: Action, look: Look): Promise<ActingLook | null> {
  const { holder, innerCalls = [], parameters } = action
  const own = holder === undefined || holder === 'stack' ? [] : [{ holder, parameters }]
  const first: Held[] = [...own, ...heldIn(innerCalls)]
  const [stored, code, references] = await Promise.all([
    lookAtAll(first, action, look),
    codeOf(action, look),
    pinnedReferences(action, look),
  ])
  const pointed = references && { binding: references, actsUnder: [], innerCalls: [] }
  const all = [stored, code, pointed].filter((one) => one !== null)
  if (all.length === 0) return null
  return {
    binding: Object.assign({}, ...all.map(({ binding }) => binding)),
    actsUnder: [...new Set(all.flatMap(({ actsUnder }) => actsUnder))].sort(),
    innerCalls: all.flatMap((one) => one.innerCalls),
  }
}

function heldIn(calls: readonly Pick<InnerCall, 'holder' | 'parameters'>[]): Held[] {
  return calls.flatMap(({ holder, parameters }) =>
    holder === undefined ? [] : [{ holder, parameters }],
  )
}

async function lookAtAll(
  first: readonly Held[],
  here: Action,
  look: Look,
): Promise<ActingLook | null> {
  const seen = new Set<string>()
  const bindings: Json[] = []
  const actsUnder: string[] = []
  const found: InnerCall[] = []
  let waiting = first
  for (let depth = 0; waiting.length > 0; depth += 1) {
    const fresh = waiting.filter((held) => isNew(seen, held))
    if (depth >= MAX_HOLDER_DEPTH || seen.size > MAX_HOLDERS) {
      look.missed('it starts more stored things than were looked at')
      actsUnder.push('*')
      bindings.push({ unread: 'too many' })
      break
    }
    const looks = await Promise.all(
      fresh.map(({ holder, parameters }) => lookAtHolder(holder, parameters, look, here)),
    )
    for (const { binding, roles, innerCalls } of looks) {
      bindings.push(binding)
      actsUnder.push(...roles)
      found.push(...innerCalls)
    }
    waiting = heldIn(looks.flatMap(({ innerCalls }) => innerCalls))
  }
  return first.length === 0 ? null : { binding: { runs: bindings }, actsUnder, innerCalls: found }
}

function isNew(seen: Set<string>, { holder, parameters }: Held): boolean {
  const key = `${holder} ${canonicalJson(parameters)}`
  if (seen.has(key)) return false
  seen.add(key)
  return true
}

/** Code and documents that the call names and does not carry; null where it names none. */
async function codeOf(action: Action, look: Look): Promise<ActingLook | null> {
  const binding = await codeBinding(action, look)
  if (binding !== null) return { binding: { code: binding }, actsUnder: [], innerCalls: [] }
  return DOCUMENT_RUNS.has(action.operation) ? lookAtDocument(action, look) : null
}

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html */
async function codeBinding(action: Action, look: Look): Promise<JsonObject | null> {
  const { operation, parameters, region } = action
  if (!operation.startsWith('lambda:')) return null
  const at = objectAt(parameters, 'Code') ?? objectAt(parameters, 'Content') ?? parameters
  const image = textAt(at, 'ImageUri')
  if (image !== null) return pinnedImage(look, image)
  const bucket = textAt(at, 'S3Bucket')
  const key = textAt(at, 'S3Key')
  if (bucket === null || key === null) return null
  const pinned = await pinnedObject(look, region, {
    bucket,
    key,
    versionId: textAt(at, 'S3ObjectVersion'),
  })
  if (memberAt(pinned, 'versionNow') === null) {
    look.missed('the bucket of the code keeps no versions: what is there is held to by its ETag')
  }
  return pinned
}

const DOCUMENT_RUNS = new Set([
  'ssm:SendCommand',
  'ssm:StartAutomationExecution',
  'ssm:CreateAssociation',
])

/**
 * The document that would be run, as it is now: its content is bound by hash and shown by its calls.
 * Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDocument.html
 */
async function lookAtDocument(action: Action, look: Look): Promise<ActingLook | null> {
  const name = textAt(action.parameters, 'DocumentName') ?? textAt(action.parameters, 'Name')
  if (name === null) return null
  const version = textAt(action.parameters, 'DocumentVersion')
  const input = { Name: name, ...(version === null ? {} : { DocumentVersion: version }) }
  const looked = await look.json(actingCall(action.region, 'ssm:GetDocument', input), [])
  const content = looked.found === 'yes' ? textAt(looked.value, 'Content') : null
  if (looked.found !== 'yes' || content === null) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    const mark = look.missedBecause(`document ${quoted(name)}`, why)
    return { binding: { document: { name, ...mark } }, actsUnder: ['*'], innerCalls: [] }
  }
  const sha256 = createHash('sha256').update(content, 'utf8').digest('hex')
  const document = asObject(parsedDocument(content))
  const drafts = new Drafts()
  if (document === null) drafts.hide()
  else readAutomation(document, drafts)
  const { region, account } = action
  const partition = partitionOf(region) ?? 'aws'
  const described = describeDrafts(drafts, { partition, region, account })
  if (!described.whole) look.missed(`not every step of document ${quoted(name)} could be read`)
  return {
    binding: { document: { name, version: textAt(looked.value, 'DocumentVersion'), sha256 } },
    actsUnder: [],
    innerCalls: described.innerCalls,
  }
}
