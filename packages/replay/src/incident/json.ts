// Reports as JSON: the shapes of docs/incident.md and docs/reconcile.md. What a terminal or an editor would act on
// is written as an escape, so that the file is inert where it is looked at; parsed, it is what was said.

import type { Incident } from './incident.ts'

/** Controls, bidi and other invisible characters, which JSON may hold as they are. */
const HIDDEN =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/g

export function inertJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    HIDDEN,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function incidentJson(incident: Incident): string {
  return inertJson(incident, 2)
}
