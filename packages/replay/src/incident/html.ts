// An incident as one page: the look of the reports of replay and roles, nothing loaded from outside. Whatever
// people, agents and AWS wrote is escaped, and what an agent said of itself is set apart from facts.

import { type Markup, markup, NOTHING, type Piece } from '../page/markup.ts'
import { page, table } from '../page/page.ts'
import { BESIDE_TITLE, besideKinds, besideWords } from './beside.ts'
import type { Chain, Evidence, Factor, Incident } from './incident.ts'
import { clock, count, moment, sentence } from './words.ts'

/** Rows of the timeline here; the JSON has more. */
const MOMENTS_SHOWN = 150

export function incidentHtml(incident: Incident): string {
  return page('Incident report', [
    header(incident),
    warnings(incident),
    answers(incident),
    unknown(incident, 'trail'),
    factors(incident),
    incident.chains.map((chain) => chainSection(chain, incident)),
    more(incident),
    beside(incident),
    candidates(incident),
    proposal(incident),
    timeline(incident),
    unknown(incident, 'ledger'),
    footer(incident),
  ])
}

/** Our own sentences mark names with backticks; nobody else's text can hold one there. */
export function prose(text: string): Markup {
  const parts = text.split('`')
  const pieces = parts.map((part, index): Piece => {
    const isCode = index % 2 === 1 && index < parts.length - 1
    return isCode ? markup`<code>${part}</code>` : pieceOf(part)
  })
  return markup`${pieces}`
}

/** One text at a time is cut at 400 characters: a long sentence goes in pieces at its spaces. */
function pieceOf(text: string): Piece {
  if (text.length <= 350) return text
  return text.match(/.{1,300}(?:\s|$)|.{300}/gsu) ?? text
}

function header({ madeFrom, source, window }: Incident): Markup {
  const span = window.from === '' ? '' : markup`, ${moment(window.from)} to ${moment(window.to)}`
  const made =
    madeFrom === 'ledger'
      ? markup`From a ledger of ${count(source.entries, 'entry', 'entries')}${span}`
      : markup`From ${count(source.events, 'event')} of CloudTrail alone${span}`
  const verified = source.verified ? 'verified before this was written' : 'NOT VERIFIED'
  const state =
    madeFrom === 'ledger'
      ? markup`<p class="soft">gate <code>${source.gate.slice(0, 16)}</code>, root <code>${source.root.slice(0, 16)}</code>, ${verified}</p>`
      : NOTHING
  return markup`<header><h1>Incident report</h1><p>${made}</p>${state}</header>`
}

function warnings({ warnings: all }: Incident): Markup[] {
  return all.map(
    (words) => markup`<div class="deed denied" role="alert"><strong>${prose(words)}</strong></div>`,
  )
}

function answers({ answers: lines, impact }: Incident): Markup {
  const rows = lines.map(({ head, says }) => markup`<dt>${head}</dt><dd>${prose(says)}</dd>\n`)
  const said =
    impact === null
      ? NOTHING
      : markup`<dt>Said by people, not in the record</dt><dd><q class="claim">${pieceOf(sentence(impact))}</q></dd>`
  return markup`<section><dl class="answer">
${rows}${said}</dl></section>`
}

function unknown({ cannotKnow, madeFrom }: Incident, of: Incident['madeFrom']): Markup {
  if (madeFrom !== of || cannotKnow.length === 0) return NOTHING
  const title = of === 'trail' ? 'What a trail alone cannot know' : 'What this ledger cannot tell'
  const items = cannotKnow.map((words) => markup`<li>${prose(words)}</li>`)
  return markup`<section class="limits"><h2>${title}</h2><ul>${items}</ul></section>`
}

function proof(evidence: readonly Evidence[]): Markup {
  const shown = evidence.slice(0, 4).map(({ source, entry, id }) => {
    const name =
      source === 'ledger' ? `entry ${entry}` : source === 'payload' ? 'document' : 'event'
    return markup`<span class="proof" title="${id}">${name} <code>${id.slice(0, 8)}</code></span> `
  })
  const rest =
    evidence.length > 4
      ? markup`<span class="soft">and ${evidence.length - 4} more</span>`
      : NOTHING
  return markup`${shown}${rest}`
}

function factors({ factors: all }: Incident): Markup {
  if (all.length === 0) return NOTHING
  return markup`<section><h2>Contributing factors</h2>
<p class="soft">In no order of guilt: each stands beside its evidence, and people weigh them.</p>
${factorTable('What let it come so far', all, 'let')}
${factorTable('What held', all, 'held')}</section>`
}

function factorTable(title: string, all: readonly Factor[], did: Factor['did']): Markup {
  const rows = all
    .filter((factor) => factor.did === did)
    .map(({ factor, says, chains, evidence }) => [
      factor,
      prose(sentence(says)),
      chains.join(', '),
      proof(evidence),
    ])
  if (rows.length === 0) return NOTHING
  const columns = [
    { name: title },
    { name: 'in words of the record', is: 'why' as const },
    { name: 'call' },
    { name: 'evidence', is: 'why' as const },
  ]
  return table(columns, rows)
}

const HEADS: Readonly<Record<Chain['effect']['fate'], string>> = {
  happened: 'happened',
  unknown: 'may have happened',
  failed: 'failed at AWS',
  held: 'never ran',
  refused: 'was refused',
}

const SIGNS: Readonly<Record<string, string>> = {
  destroy: '■',
  replace: '◧',
  stop: '▣',
  permissions: '◆',
  write: '●',
  opaque: '◌',
  unknown: '?',
}

function chainSection(chain: Chain, { chains }: Incident): Markup {
  const { id, effect, links, claimed, did } = chain
  const of = chains.length > 1 ? ` ${id}` : ''
  const [strictest = ''] = effect.effects
  const kind = effect.fate === 'happened' || effect.fate === 'unknown' ? 'passed' : 'asked'
  const rows = links.map(({ link, says, evidence, known }) => [
    link,
    markup`${prose(says)}${known ? '' : markup` <span class="soft">(not on record)</span>`}`,
    proof(evidence),
  ])
  const reason =
    claimed === null
      ? markup`<p class="soft">The agent gave no reason that is on record.</p>`
      : markup`<p class="soft">the agent says</p><blockquote class="claim">${pieceOf(claimed)}</blockquote>`
  const columns = [
    { name: 'link' },
    { name: 'what the record says', is: 'why' as const },
    { name: 'evidence', is: 'why' as const },
  ]
  return markup`<section><h2>Call${of}: ${effect.operation}, ${HEADS[effect.fate]}</h2>
<div class="deed ${kind}"><strong>${SIGNS[strictest] ?? ''} ${effect.effects.join(', ')} in ${effect.environments.join(', ')}</strong>
<p>${moment(effect.at)}</p>
${reason}
<p>What it did: ${prose(sentence(did))}</p></div>
${table(columns, rows)}</section>`
}

function more({ chainCount, chains }: Incident): Markup {
  const left = chainCount - chains.length
  return left > 0
    ? markup`<p class="soft">And ${count(left, 'more harmful call')}: narrow --since, --until, --session or --resource.</p>`
    : NOTHING
}

function beside({ reconciled }: Incident): Markup {
  if (reconciled === null) return NOTHING
  const rows = besideKinds(reconciled).flatMap(({ code, means, shown, more: left }) => [
    ...shown.map(({ at, says, evidence }, index) => [
      index === 0 ? markup`<strong>${code}</strong><br><span class="soft">${means}</span>` : '',
      moment(at),
      prose(sentence(says)),
      proof(evidence),
    ]),
    ...(left > 0 ? [['', '', `and ${left} more: seconder ledger reconcile --json`, '']] : []),
  ])
  const columns = [
    { name: 'finding', is: 'why' as const },
    { name: 'UTC' },
    { name: 'in words', is: 'why' as const },
    { name: 'evidence', is: 'why' as const },
  ]
  return markup`<section><h2>${BESIDE_TITLE}</h2><p>${prose(besideWords(reconciled))}</p>
${rows.length === 0 ? markup`<p>No finding.</p>` : table(columns, rows)}</section>`
}

function candidates({ candidates: all, chains }: Incident): Markup {
  if (all.length === 0) return NOTHING
  const rows = all.flatMap(({ name, answers: given, alsoStops, alsoTried }) =>
    given.map(({ chain, wouldHave, says }, index) => [
      index === 0 ? name : '',
      chain,
      wouldHave,
      prose(sentence(says)),
      index === 0 && alsoTried > 0 ? `${alsoStops} of ${alsoTried}` : '',
    ]),
  )
  const columns = [
    { name: 'policies' },
    { name: 'call' },
    { name: 'it would have' },
    { name: 'answer', is: 'why' as const },
    { name: 'other calls held', is: 'n' as const },
  ]
  return chains.length === 0
    ? NOTHING
    : markup`<section><h2>The same calls under other policies</h2>
<p class="soft">Put to the gate's own describe and decide, with the signatures that were there.</p>
${table(columns, rows)}</section>`
}

function proposal({ proposal: one }: Incident): Markup {
  if (one === null) return NOTHING
  const { name, policy, cases, says, casesPassed } = one
  const rules =
    policy === null
      ? NOTHING
      : markup`<p class="mono">${name}.cedar</p><pre>${linesOf(policy)}</pre>`
  return markup`<section><h2>Proposed change</h2><p>${prose(says)}</p>${rules}
<details><summary><span class="mono">${name}.case.json</span>, ${count(casesPassed, 'case')}, run and passed</summary><pre>${linesOf(cases)}</pre></details>
<p class="soft">Nothing of it is in force. To open it as a request of its own: write the files with <code>--propose DIR</code>, copy them into your
policies, run <code>seconder policy test</code>, then <code>seconder policy activate</code>: two people sign.</p></section>`
}

function linesOf(text: string): Piece {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => markup`${pieceOf(line)}\n`)
}

function timeline({ timeline: all, timelineCount }: Incident): Markup {
  if (all.length === 0) return NOTHING
  const shown = all.slice(0, MOMENTS_SHOWN)
  const left = timelineCount - shown.length
  const rows = shown.map(({ at, who, says, quote, evidence }) => [
    clock(at),
    prose(who),
    markup`${prose(says)}${quote === null ? '' : markup` <q class="claim">${pieceOf(quote)}</q>`}`,
    proof(evidence),
  ])
  const columns = [
    { name: 'UTC' },
    { name: 'who' },
    { name: 'what', is: 'why' as const },
    { name: 'evidence', is: 'why' as const },
  ]
  const rest =
    left > 0
      ? markup`<p class="soft">And ${count(left, 'more line')}; the JSON has up to 400.</p>`
      : NOTHING
  return markup`<section><h2>Timeline, ${moment(all[0]?.at ?? '').slice(0, 10)}</h2>${table(columns, rows)}${rest}</section>`
}

function footer({ madeFrom }: Incident): Markup {
  return madeFrom === 'ledger'
    ? markup`<footer>Check any line: <code>seconder ledger verify DIR</code>, then <code>seconder ledger show DIR --json</code>.
An entry's hash is its RFC 6962 leaf hash.
Made by seconder incident report; nothing on this page is loaded from anywhere.</footer>`
    : markup`<footer>Check any line by its event id in CloudTrail. Made by seconder incident report; nothing on this page is loaded from anywhere.</footer>`
}
