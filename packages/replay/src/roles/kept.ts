// What right-sizing leaves alone: roles and statements whose name or tags say that they are for an
// emergency or for something that happens too seldom to be in a trail.

import type { Json, JsonObject } from '@seconder/aws/call'
import type { Estate, Identity } from './estate.ts'

export interface Kept {
  readonly policy: string
  readonly statement: JsonObject
  readonly because: string
}

/** Words that names and tags bear; `-` and `_` count as spaces. */
const SELDOM =
  /\b(break ?glass|emergency|disaster|recovery|failover|restore|quarter(ly)?|annual(ly)?|year(ly)?|monthly|dr)\b/i

/** Days of a trail that hold a quarter. */
export const QUARTER_DAYS = 92

/** Why the role itself is left alone; null where it is not. */
export function seldomUsed({ name, tags }: Identity): string | null {
  if (SELDOM.test(spaced(name))) return `its name, ${name}, says so`
  for (const [key, value] of tags) {
    if (SELDOM.test(spaced(key)) && !/^(no|false|0)$/i.test(value)) return `its tag ${key} says so`
    if (SELDOM.test(spaced(value))) return `its tag ${key}=${value} says so`
  }
  return null
}

/** Statements of its policies whose Sid or policy bears such a word; they allow what they always did. */
export function keptStatements(estate: Estate, identity: Identity): Kept[] {
  const documents = [
    ...identity.inline,
    ...identity.attached.flatMap((arn) => {
      const json = estate.policies.get(arn)?.json
      return json ? [{ name: arn, json }] : []
    }),
  ]
  return documents.flatMap(({ name, json }) => {
    const inName = SELDOM.test(spaced(name.split('/').at(-1) ?? name))
    return statementsOf(json).flatMap((statement): Kept[] => {
      const sid = typeof statement['Sid'] === 'string' ? statement['Sid'] : ''
      const inSid = SELDOM.test(spaced(sid))
      if (!inName && !inSid) return []
      const because = inSid ? `its Sid, ${sid}, says so` : 'the name of its policy says so'
      return [{ policy: name, statement, because }]
    })
  })
}

function statementsOf(json: Json): JsonObject[] {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return []
  const list = (json as JsonObject)['Statement']
  const all = Array.isArray(list) ? list : [list]
  return all.flatMap((each) =>
    each !== null && typeof each === 'object' && !Array.isArray(each) ? [each as JsonObject] : [],
  )
}

/** `BreakGlass-db_restore` to `Break Glass db restore`. */
function spaced(text: string): string {
  return text.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[-_./:]+/g, ' ')
}
