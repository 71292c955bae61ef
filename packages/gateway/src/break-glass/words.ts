// How a call ended, in the words of every page that shows it.
import type { Outcome } from '../execute/outcome.ts'
import { escapeUntrusted } from '../lib/plain-text.ts'

/** `succeeded 200`, `confirmed deleted`, `unknown: the gate stopped ...`. */
export function outcomeWords(outcome: Outcome): string {
  const { result, ...facts } = outcome as { readonly result: string } & Record<string, unknown>
  const words = [result, facts['confirmed'], facts['errorCode'], facts['status'], facts['detail']]
  return words
    .filter((word) => typeof word === 'string' || typeof word === 'number')
    .map((word) => escapeUntrusted(String(word)))
    .join(' ')
}
