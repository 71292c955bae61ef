// Text of others: what it says is what is seen. Whatever is invisible or turns a line around is shown by
// its number (red team M2). React escapes the markup.

import {
  escapeLines,
  escapeUntrusted,
  flagged,
  hasMixedScripts,
} from '@seconder/gateway/lib/plain-text'
import { createElement, Fragment } from 'react'

const NAME_CHARS = 2_048
/** What will be sent is never cut: code hidden in a cut would be signed unseen (red team C9). */
const WHOLE_CHARS = 20_000_000

export function Name({ text }: { readonly text: string }) {
  return (
    <>
      <code className="name">{escapeUntrusted(text, NAME_CHARS)}</code>
      {hasMixedScripts(text) && <span className="warn"> (mixed scripts)</span>}
    </>
  )
}

export function safe(text: string): string {
  return flagged(escapeUntrusted(text, NAME_CHARS))
}

/** A sentence of the gate's: what stands between backticks in it are names from the wire. */
export function Sentence({ text }: { readonly text: string }) {
  const parts = safe(text)
    .split('`')
    .map((part, at) => (at % 2 === 1 ? createElement('code', { className: 'name' }, part) : part))
  return createElement(Fragment, null, ...parts)
}

export function Lines({ text }: { readonly text: string }) {
  return escapeLines(text, WHOLE_CHARS).join('\n')
}

/** A JSON value on as many lines as it has members, its texts with every character visible. */
export function Json({ value }: { readonly value: unknown }) {
  const text = JSON.stringify(value, null, 2) ?? ''
  return (
    <pre className="facts">
      <Lines text={text} />
    </pre>
  )
}
