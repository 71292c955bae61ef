// What a thing holds, in words: the pieces of its description, and what further reads tell of it (images
// in a repository, volumes of an instance, users of a key).
import type { Json, JsonObject } from '@seconder/aws/call'
import { bytesInWords, grouped, quoted } from './amounts.ts'
import { hasPlace, oneText, oneTime, textsAt, valuesAt } from './answer-member.ts'
import {
  filled,
  isWhere,
  type Kind,
  type More,
  type Piece,
  type Place,
  type Target,
} from './kind.ts'
import type { Look } from './look.ts'
import { asObject } from './member.ts'
import { hasMore, readModel } from './model-look.ts'

export interface Told {
  readonly words: readonly string[]
  readonly uses: readonly string[]
  readonly data: boolean | null
  readonly guarded: boolean | null
}

export async function tellsOf(
  look: Look,
  place: Place,
  kind: Kind,
  target: Target,
  described: JsonObject,
): Promise<Told> {
  const all = await Promise.all(
    (kind.more ?? []).map((more) => toldBy(look, place, kind, more, target, described)),
  )
  return {
    words: all.flatMap(({ words }) => words),
    uses: all.flatMap(({ uses }) => uses),
    data: oneOf(all.map(({ data }) => data)),
    guarded: oneOf(all.map(({ guarded }) => guarded)),
  }
}

/** True where one is, unknown where one might be. */
function oneOf(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(true)) return true
  return values.includes(null) ? null : false
}

async function toldBy(
  look: Look,
  place: Place,
  kind: Kind,
  more: More,
  target: Target,
  described: JsonObject,
): Promise<Told> {
  const tellsData = more.tells.some(({ data }) => data === true)
  const guards = more.tells.some((tell) => tell.guards === true)
  const input = asObject(filled(more.input, target, described))
  const answer =
    input === null
      ? ({ found: 'unknown', why: 'unreadable' } as const)
      : await readModel(look, place.region, more.read, input, more.absent ?? [], !tellsData)
  if (answer.found === 'no') return { words: [], uses: [], data: false, guarded: false }
  const vital = tellsData || guards
  if (answer.found === 'unknown' || (vital && !hasPlace(answer.value, more.at))) {
    const why = answer.found === 'unknown' ? answer.why : 'unreadable'
    look.missedBecause(`${more.what} of ${kind.noun} ${quoted(target.name)}`, why)
    return { words: [], uses: [], data: tellsData ? null : false, guarded: guards ? null : false }
  }
  const listed = valuesAt(answer.value, more.at)
  const goesOn = hasMore(answer.value)
  const tells = more.tells.map((tell) => {
    const members =
      tell.where === undefined ? listed : listed.filter((one) => isWhere(one, tell.where))
    return { tell, members }
  })
  return {
    words: tells.flatMap(({ tell, members }) => wordsOf(tell, members, goesOn)),
    uses: tells.flatMap(({ tell, members }) => {
      const [noun, path] = tell.uses ?? []
      if (noun === undefined || path === undefined) return []
      return members.flatMap((one) => textsAt(one, path).map((name) => `${noun} ${quoted(name)}`))
    }),
    data: tells.some(({ tell, members }) => tell.data === true && members.length > 0),
    guarded: tells.some(({ tell, members }) => tell.guards === true && members.length > 0),
  }
}

function wordsOf(tell: More['tells'][number], members: readonly Json[], goesOn: boolean): string[] {
  if (tell.count === undefined) return []
  const many = tell.count.replace(/^\S+/, (noun) => (members.length === 1 ? noun : plural(noun)))
  const count = `${goesOn ? 'at least ' : ''}${grouped(members.length)} ${members.length === 1 ? tell.count : many}`
  if (members.length === 0) return tell.data === true || goesOn ? [count] : []
  if (tell.sum === undefined) return [count]
  const [path, unit] = tell.sum
  const sum = members.reduce((total: number, one) => total + Number(oneText(one, path) ?? 0), 0)
  if (!Number.isFinite(sum)) return [count]
  return [`${count} (${unit === 'bytes' ? bytesInWords(sum) : `${grouped(sum)} GiB`})`]
}

function plural(noun: string): string {
  if (noun.endsWith('y')) return `${noun.slice(0, -1)}ies`
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`
}

/** `postgres · 16.3 · 100 GiB`; `–` for what holds nothing by its kind. */
export function holdsInWords(kind: Kind, described: JsonObject, told: Told): string {
  const pieces = (kind.holds ?? []).flatMap((piece) => pieceInWords(piece, described))
  const all = [...pieces, ...told.words]
  if (all.length > 0) return all.join(' · ')
  return kind.data === 'never' ? '–' : 'not said'
}

function pieceInWords([path, unit, before]: Piece, described: JsonObject): string[] {
  const words = amountOf(path, unit, described)
  if (words === null) return []
  return [before === undefined ? words : `${before} ${words}`]
}

function amountOf(path: string, unit: Piece[1], described: JsonObject): string | null {
  if (unit === 'time') return oneTime(described, path)
  const texts = textsAt(described, path)
  const [text] = texts
  if (unit === 'text') return text ?? null
  const listed = valuesAt(described, path)
  if (text === undefined && listed.length === 0) return null
  // A count of a list, where the path leads to its members and not to a number.
  const number =
    text !== undefined && /^\d+$/.test(text) && texts.length === 1 ? Number(text) : listed.length
  if (!Number.isSafeInteger(number)) return null
  if (unit === 'bytes') return bytesInWords(number)
  if (unit === 'GiB' || unit === 'MiB') return `${grouped(number)} ${unit}`
  const noun = number === 1 ? unit.replace(/s(?= |$)/, '') : unit
  return `${grouped(number)} ${noun}`
}
