// Text from exports, made fit for a page: nothing of it is mark-up, and nothing hides or turns around.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For element text and quoted attributes alike. */
export function escaped(text: string): string {
  const shown = flagged(escapeUntrusted(text))
  return shown.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
