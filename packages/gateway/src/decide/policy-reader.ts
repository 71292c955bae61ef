// The throw-away worker: reads one policy set in a fresh Cedar instance and ends. What it throws,
// and its end without a message, both mean to its parent that the text cannot be used.
import { parentPort, workerData } from 'node:worker_threads'
import type { PolicyFault } from './errors.ts'
import { PolicyError } from './errors.ts'
import { freshCedar } from './fresh-cedar.ts'
import { type PolicySources, type ReadPolicies, readPolicies } from './read-policies.ts'

/** What the worker says: which file it comes to, and at last what it read or found wrong. */
export type ReaderMessage =
  | { readonly result: 'reading'; readonly file: string }
  | { readonly result: 'read'; readonly read: ReadPolicies }
  | { readonly result: 'fault'; readonly fault: PolicyFault }

say(messageFor(workerData as PolicySources))

function say(message: ReaderMessage): void {
  parentPort?.postMessage(message)
}

function messageFor(sources: PolicySources): ReaderMessage {
  try {
    const onFile = (file: string) => say({ result: 'reading', file })
    return { result: 'read', read: readPolicies(freshCedar(), sources, onFile) }
  } catch (error) {
    // Anything else leaves the worker as its error, which the parent reads as `policy_unparsable`.
    if (!(error instanceof PolicyError)) throw error
    const { code, file, policyId, message, help } = error
    const named = policyId === null ? {} : { policyId }
    return { result: 'fault', fault: { code, file, ...named, message, help } }
  }
}
