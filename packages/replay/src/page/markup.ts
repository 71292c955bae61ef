// Pieces of a page whose texts cannot become markup: everything that is put into a piece is escaped, unless it
// is a piece itself. What stands in a trail was written by anybody.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'

/** Text that is markup already. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type Piece = Markup | string | number | readonly Piece[]

/** Characters of one foreign text that are shown. */
const SHOWN_MAX = 400

/** A template whose values are escaped: `` markup`<td>${name}</td>` ``. Attributes must be quoted. */
export function markup(parts: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += written(value) + (parts[index + 1] ?? '')
  })
  return new Markup(text)
}

function written(piece: Piece): string {
  if (piece instanceof Markup) return piece.text
  if (Array.isArray(piece)) return piece.map(written).join('')
  return escaped(String(piece))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What no reader can see or would misread is made visible first; then nothing of it is markup. */
export function escaped(text: string): string {
  const shown = flagged(escapeUntrusted(text, SHOWN_MAX))
  return shown.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '')
}

/** Of nothing, nothing. */
export const NOTHING = new Markup('')
