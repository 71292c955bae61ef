// What an agent or a person says of itself: never in the block or the face of a verified fact.
import { Lines } from './untrusted.tsx'

export function Claim({ who, text }: { readonly who: string; readonly text: string | null }) {
  if (text === null || text === '') return <p className="quiet">{who} gave no reason.</p>
  return (
    <figure className="claim">
      <figcaption>{who} says (a claim, not a fact):</figcaption>
      <blockquote>
        <Lines text={text} />
      </blockquote>
    </figure>
  )
}
