// What an agent or a person says of itself: never in the block or the face of a verified fact.
import { Lines } from './untrusted.tsx'

interface ClaimProps {
  readonly who: string
  readonly text: string | null
  /** True for the words of a person who signed them. */
  readonly isSigned?: boolean
}

export function Claim({ who, text, isSigned = false }: ClaimProps) {
  if (text === null || text === '') return <p className="quiet">{who} gave no reason.</p>
  return (
    <figure className="claim">
      <figcaption>{isSigned ? `${who} wrote:` : `${who} says (a claim, not a fact):`}</figcaption>
      <blockquote>
        <Lines text={text} />
      </blockquote>
    </figure>
  )
}
