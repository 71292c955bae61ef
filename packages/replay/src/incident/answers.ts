// The answer first: five lines that say what happened, for how long, what was touched, what let it happen and
// what would have stopped it. Made from the chains and factors alone.

import type { Answer, Candidate, Chain, Factor, Proposal } from './incident.ts'
import {
  clock,
  count,
  listed,
  moment as momentOf,
  named,
  sentence,
  shown,
  span,
  thing,
} from './words.ts'

export interface Found {
  readonly chains: readonly Chain[]
  readonly factors: readonly Factor[]
  readonly candidates: readonly Candidate[]
  readonly proposal: Proposal | null
  /** Other changes of the window, in words. */
  readonly others: readonly string[]
}

export function answersOf(found: Found): Answer[] {
  const happened = found.chains.filter(({ effect }) => isOn(effect.fate))
  const lines = happened.length > 0 ? harmLines(found, happened) : heldLines(found)
  return lines.map(({ head, says }) => ({ head, says: sentence(says) }))
}

function isOn(fate: Chain['effect']['fate']): boolean {
  return fate === 'happened' || fate === 'unknown'
}

function harmLines(found: Found, happened: readonly Chain[]): Answer[] {
  return [
    { head: 'What happened', says: happenedWords(happened) },
    { head: 'For how long', says: howLong(happened) },
    { head: 'What was touched', says: touched(happened, found.others) },
    { head: 'What let it happen', says: factorWords(found.factors, happened, 'let') },
    { head: 'What would have stopped it', says: stoppedBy(found, happened) },
  ]
}

function heldLines(found: Found): Answer[] {
  const { chains, others, factors } = found
  const changed = others.length === 0 ? 'nothing' : `only ${listed(others, 4)}`
  const [first] = chains
  if (first === undefined) {
    return [
      { head: 'What happened', says: 'nothing harmful is on record in this window' },
      { head: 'What was touched', says: changed },
    ]
  }
  const takes = chains.flatMap(({ effect }) => effect.takes)
  const would =
    takes.length === 0
      ? ''
      : `; ${named(first.effect.operation)} would have taken ${listed(takes, 2)}`
  return [
    { head: 'What happened', says: `nothing was harmed: ${asked(chains)}, and it was not done` },
    {
      head: 'For how long',
      says: `no time at all: it was asked for at ${clock(first.effect.at)}${endWords(first)}, and never sent to AWS`,
    },
    { head: 'What was touched', says: `${changed}${would}` },
    { head: 'What let it come so far', says: factorWords(factors, chains, 'let') },
    { head: 'What stopped it', says: factorWords(factors, chains, 'held') },
  ]
}

function endWords({ effect }: Chain): string {
  return effect.endedAt === '' ? '' : ` and closed ${span(effect.at, effect.endedAt)} later`
}

function asked(chains: readonly Chain[]): string {
  const [first] = chains
  const more = chains.length - 1
  const rest = more > 0 ? ` (and ${count(more, 'other harmful call')})` : ''
  return first === undefined ? '' : `${what(first)} was asked for${rest}`
}

function what({ effect }: Chain): string {
  const on = listed(
    effect.resources.map((arn) => named(thing(arn))),
    3,
  )
  return `${named(effect.operation)} on ${on}`
}

function happenedWords(happened: readonly Chain[]): string {
  const [first] = happened
  if (first === undefined) return ''
  const { effect } = first
  const again =
    effect.madeAgain === undefined
      ? ''
      : `, and made it again ${span(effect.at, effect.madeAgain.at)} later (${named(effect.madeAgain.operation)})`
  const unsure = effect.fate === 'unknown' ? ', and whether it happened is not known' : ''
  const more = happened.length - 1
  const rest =
    more > 0
      ? `. ${count(more, 'more harmful call')}: ${listed(happened.slice(1).map(what), 3)}`
      : ''
  const claimed = first.claimed === null ? '' : `, saying “${shown(first.claimed)}”`
  return `${first.actor} called ${what(first)} at ${momentOf(effect.at)} in ${listed(effect.environments)}${again}${unsure}${claimed}${rest}`
}

function howLong(happened: readonly Chain[]): string {
  const [first] = happened
  if (first === undefined) return ''
  const { effect } = first
  const end =
    happened
      .map((chain) => chain.effect.endedAt)
      .sort()
      .at(-1) ?? ''
  const gone =
    effect.madeAgain === undefined
      ? 'nothing on record says that it was put back'
      : `by the record it was gone for ${span(effect.at, effect.madeAgain.at)}, until one of the same name was made`
  const isLong = Date.parse(end) - Date.parse(effect.at) >= 1_000
  return isLong && effect.madeAgain === undefined
    ? `${gone}; ${span(effect.at, end)} from the first harmful call to the last word about one`
    : gone
}

function touched(happened: readonly Chain[], others: readonly string[]): string {
  const takes = happened.flatMap(({ effect }) => effect.takes)
  const resources = happened.flatMap(({ effect }) =>
    effect.resources.map((arn) => named(thing(arn))),
  )
  const beside = others.length === 0 ? '' : `; changed beside it: ${listed(others, 3)}`
  // A call on one thing takes that thing: it is named once, with what it holds.
  const isSame =
    resources.length === takes.length && resources.every((name, at) => names(takes[at], name))
  if (isSame) return `${listed(takes, 6)}${beside}`
  const within = takes.length === 0 ? '' : `, and in it ${listed(takes, 6)}`
  return `${listed(resources, 4)}${within}${beside}`
}

/** `table `orders` (9 items)` names `` `table orders` ``. */
function names(take: string | undefined, resource: string): boolean {
  return take?.replaceAll('`', '').startsWith(resource.replaceAll('`', '')) ?? false
}

/** One clause of each kind of factor, the first chain's first. */
function factorWords(
  factors: readonly Factor[],
  chains: readonly Chain[],
  did: Factor['did'],
): string {
  const [first] = chains
  const of = factors.filter(
    (factor) => factor.did === did && factor.chains.includes(first?.id ?? ''),
  )
  const kinds =
    did === 'held'
      ? ['policy', 'review', 'gate']
      : ['role', 'policy', 'review', 'agent', 'safeguard', 'outcome']
  const clauses = kinds.flatMap(
    (kind) => of.find(({ factor, brief }) => factor === kind && brief !== '')?.brief ?? [],
  )
  return clauses.length === 0 ? 'nothing on record says' : clauses.slice(0, 4).join('; ')
}

function stoppedBy({ candidates, proposal }: Found, happened: readonly Chain[]): string {
  const ids = new Set(happened.map(({ id }) => id))
  const stops = candidates.filter(({ answers }) =>
    answers.filter(({ chain }) => ids.has(chain)).every(({ wouldHave }) => wouldHave !== 'passed'),
  )
  const [first] = stops
  if (first === undefined) {
    return proposal?.policy == null
      ? 'none of the policies that were tried: see the answers below'
      : 'the change proposed below'
  }
  const answer = first.answers.find(({ chain }) => chain === happened[0]?.id)
  const others = stops.slice(1).map(({ name }) => name)
  const rest = others.length === 0 ? '' : `; so would ${listed(others)}`
  return `${first.name}: ${answer?.says ?? 'held'}${rest}`
}
