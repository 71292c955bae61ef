// An id or a hash: short, whole on hover, copied by a click.
import { useState } from 'react'
import { shortId } from './words.ts'

export function Copied({
  text,
  whole = false,
}: {
  readonly text: string
  readonly whole?: boolean
}) {
  const [isDone, setIsDone] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setIsDone(true)
    setTimeout(() => setIsDone(false), 1_500)
  }
  return (
    <button type="button" className="copied" title={`${text} (click copies it)`} onClick={copy}>
      <code>{whole ? text : shortId(text)}</code>
      <span role="status">{isDone ? ' copied' : ''}</span>
    </button>
  )
}
