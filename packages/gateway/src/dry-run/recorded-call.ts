// A call of the ledger as decide takes it: whole, where its review document is beside the log, else as far as its
// entry tells. No clock, network or chance: what is asked of a recorded call is asked of the same one again.
import type { DecideContext } from '../decide/decision.ts'
import type { Action, Effect } from '../describe/action.ts'
import type { CallFacts, Entry } from '../record/entry.ts'
import { type Evidence, NO_EVIDENCE } from '../resolve/evidence.ts'
import type { AnyDocument } from '../review/plan-document.ts'
import { partsOf } from '../review/plan-document.ts'

export interface RecordedCall {
  readonly action: Action
  readonly looked: Evidence
  readonly context: DecideContext
  /** ARN of the role. */
  readonly roleArn: string
  /** What the gate answered then; null where something else than policy had its part in it. */
  readonly answered: 'allow' | 'review' | 'deny' | null
  /** The epoch that answered. */
  readonly epoch: number
  /** Of its things, each once; an entry does not tell which of them is in which. */
  readonly environments: readonly string[]
  /** An entry tells no parameters, and not from where the call came. */
  readonly isWhole: boolean
}

/** Why an entry about a call is not tried: by a stable word that a report shows. */
export type Passed = 'not-decided-by-policy' | 'document-missing'

/**
 * The calls that an entry tells of, each once: an intent that was reviewed is told by its request. Empty for what is
 * about no call. `documentOf` returns what reviewers were shown, or null where it is not there.
 */
export function recordedCalls(
  entry: Entry,
  documentOf: (sha256: string) => AnyDocument | null,
): { readonly calls: readonly RecordedCall[]; readonly passed: Passed | null } {
  switch (entry.type) {
    case 'read':
      return one(bareCall(entry, entry.softened === undefined ? 'allow' : null))
    case 'intent':
      return intentCalls(entry)
    case 'denied':
      if (entry.code !== 'denied_by_policy') return NONE_BY_POLICY
      return one(bareCall(entry, 'deny'))
    case 'request-opened':
    case 'plan-opened': {
      const document = documentOf(entry.document)
      if (document !== null) return { calls: shownCalls(entry, document), passed: null }
      if (entry.type === 'plan-opened') return { calls: [], passed: 'document-missing' }
      return { calls: [bareCall(entry, 'review')], passed: 'document-missing' }
    }
    default:
      return { calls: [], passed: null }
  }
}

const NONE_BY_POLICY = { calls: [], passed: 'not-decided-by-policy' } as const

function one(call: RecordedCall) {
  return { calls: [call], passed: null }
}

/** What policy let pass without anybody; what was only observed, or went by break-glass, it had answered otherwise. */
function intentCalls(entry: Extract<Entry, { type: 'intent' }>) {
  if (entry.request !== null || entry.plan !== undefined) return { calls: [], passed: null }
  const isPlain = entry.observed === null && entry.breakGlass === undefined
  return one(bareCall(entry, isPlain ? 'allow' : null))
}

function shownCalls({ role, epoch }: CallFacts, document: AnyDocument): RecordedCall[] {
  return partsOf(document).map((part) => {
    // A step of a plan says what it took by itself; a call was held as a whole.
    const asks = 'requirement' in part ? (part.requirement as readonly string[]) : ['any:1']
    return {
      action: part.action,
      looked: part.evidence,
      context: { ...part.context, breakGlass: false },
      roleArn: document.roleArn || role,
      answered: asks.length > 0 ? ('review' as const) : ('allow' as const),
      epoch,
      environments: [...new Set(part.action.resources.map(({ environment }) => environment))],
      isWhole: true,
    }
  })
}

function bareCall(entry: CallFacts, answered: RecordedCall['answered']): RecordedCall {
  const { role, epoch, environments } = entry
  const call = { ...entryCall(entry, role), roleArn: role, answered, epoch }
  return { ...call, environments, isWhole: false }
}

const DOCUMENTS = ['seconder-review-document@v1', 'seconder-plan-document@v1']

/** The document that a payload is; null where it is something else, or was dropped. */
export function shownDocument(text: string): AnyDocument | null {
  try {
    const document = JSON.parse(text) as AnyDocument | null
    return document !== null && DOCUMENTS.includes(document.type) ? document : null
  } catch {
    return null // then the entry tells what there is
  }
}

/**
 * What an entry tells of a call. Parameters are not in it, so what they would add is missing; isolation and which thing is
 * in which environment are not either: what stands there is one of several, see `readingsOf`.
 */
export function entryCall(
  entry: Omit<CallFacts, 'session' | 'digest' | 'epoch'>,
  role: string,
): { readonly action: Action; readonly looked: Evidence; readonly context: DecideContext } {
  const [service = ''] = entry.operation.split(':')
  const environment = entry.environments[0] ?? 'production'
  const resources = entry.resources.map((arn) => {
    const [, , , region = '', account = ''] = arn.split(':')
    return { arn, type: '*', account, region, environment, resolved: arn !== '*' }
  })
  const [first] = resources
  const action: Action = {
    door: 'aws',
    operation: entry.operation,
    iamActions: [entry.operation],
    resources:
      resources.length === 0
        ? [{ arn: '*', type: '*', account: '', region: '', environment, resolved: false }]
        : resources,
    effects: entry.effects as readonly Effect[],
    reveals: 'data',
    recoverable: 'unknown',
    service,
    account: first?.account ?? '',
    region: first?.region ?? '',
    parameters: {},
    body: null,
  }
  const { agent, operator } = entry
  const context: DecideContext = { agent, operator, role, isolation: 'user', breakGlass: false }
  return { action, looked: NO_EVIDENCE, context }
}
