// An incident as Markdown: the answer, then the evidence. Whatever people, agents and AWS wrote is text and
// nothing else: no markup, link, image or line of its own can come of it.

import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { BESIDE_TITLE, besideKinds, besideWords } from './beside.ts'
import type { Candidate, Chain, Evidence, Factor, Incident, Moment, Proposal } from './incident.ts'
import { clock, count, moment, sentence } from './words.ts'

/** Characters of one foreign text. */
const SHOWN_MAX = 900
/** Rows of the timeline here; the JSON has more. */
const MOMENTS_SHOWN = 60

export function incidentMarkdown(incident: Incident): string {
  return [
    ...head(incident),
    ...answers(incident),
    ...factors(incident.factors),
    ...incident.chains.flatMap((chain) => chainLines(chain, incident)),
    ...more(incident),
    ...beside(incident),
    ...candidates(incident.candidates),
    ...proposal(incident.proposal),
    ...timeline(incident),
    ...cannotKnow(incident),
    ...foot(incident),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
}

/** What could begin something in Markdown, wherever it stands. */
const SPECIAL = /[\\`*_[\]|~!#]/g
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/**
 * Text with no meaning in Markdown or HTML. What our own sentences put into backticks stays a name: no word of
 * anybody else holds a backtick there (see words.ts).
 */
export function inert(text: string, max = SHOWN_MAX): string {
  const parts = escapeUntrusted(text, max).split('`')
  return parts
    .map((part, index) => {
      const isCode = index % 2 === 1 && index < parts.length - 1
      return isCode ? `\`${part.replaceAll('|', '\\|')}\`` : plain(part)
    })
    .join('')
}

function plain(text: string): string {
  return text
    .replace(/[&<>]/g, (letter) => ENTITIES[letter] ?? '')
    .replace(SPECIAL, '\\$&')
    .replace(/\b(https?|javascript|data|file):/gi, '$1\\:')
    .replace(/\bwww\./gi, 'www\\.')
}

function quoteLines(text: string): string[] {
  // Nobody's words stand in code marks: all of them are escaped.
  return [`> “${plain(escapeUntrusted(text, SHOWN_MAX))}”`]
}

function head({ warnings, madeFrom, window, source }: Incident): string[] {
  const verified = source.verified ? 'verified before this was written' : '**not verified**'
  const ids = `gate \`${source.gate.slice(0, 16)}\`, root \`${source.root.slice(0, 16)}\``
  const made =
    madeFrom === 'ledger'
      ? `From a ledger of ${count(source.entries, 'entry', 'entries')} (${ids}), ${verified}.`
      : `From ${count(source.events, 'event')} of CloudTrail alone.`
  const span = window.from === '' ? '' : ` ${moment(window.from)} to ${moment(window.to)}.`
  return [
    '# Incident report',
    '',
    ...warnings.flatMap((words) => [`> **${inert(words)}**`, '']),
    `${made}${span}`,
    '',
  ]
}

function answers({ answers: lines, impact, madeFrom, cannotKnow: unknown }: Incident): string[] {
  return [
    ...lines.map(({ head: name, says }) => `- **${name}.** ${inert(says, 1_600)}`),
    ...(impact === null
      ? []
      : [`- **Said by people, not in the record.** ${inert(sentence(impact))}`]),
    '',
    ...(madeFrom === 'trail'
      ? [
          '**What a trail alone cannot know**',
          '',
          ...unknown.map((words) => `- ${inert(words)}`),
          '',
        ]
      : []),
  ]
}

function proof(evidence: readonly Evidence[]): string {
  if (evidence.length === 0) return ''
  const shown = evidence.slice(0, 4).map(proofOf)
  const rest = evidence.length > 4 ? `, and ${evidence.length - 4} more` : ''
  return ` [${shown.join(', ')}${rest}]`
}

function proofOf({ source, entry, id }: Evidence): string {
  const short = inert(id.slice(0, 12))
  if (source === 'ledger') return `entry ${entry} \`${short}\``
  return source === 'payload' ? `document \`${short}\`` : `event \`${inert(id.slice(0, 8))}\``
}

function factors(all: readonly Factor[]): string[] {
  if (all.length === 0) return []
  const lines = (did: Factor['did']) =>
    all
      .filter((factor) => factor.did === did)
      .map(({ factor, says, chains, evidence }) => {
        const of = chains.length === 0 ? '' : ` (call ${chains.join(', ')})`
        return `- **${factor}**: ${inert(sentence(says))}${of}${proof(evidence)}`
      })
  const held = lines('held')
  const letOn = lines('let')
  return [
    '## Contributing factors',
    '',
    'In no order of guilt: each stands beside its evidence, and people weigh them.',
    '',
    ...(letOn.length > 0 ? ['What let it come so far:', '', ...letOn, ''] : []),
    ...(held.length > 0 ? ['What held:', '', ...held, ''] : []),
  ]
}

const HEADS: Readonly<Record<Chain['effect']['fate'], string>> = {
  happened: 'happened',
  unknown: 'may have happened',
  failed: 'failed at AWS',
  held: 'never ran',
  refused: 'was refused',
}

function chainLines({ id, effect, links, claimed, did }: Chain, { chains }: Incident): string[] {
  const of = chains.length > 1 ? ` ${id}` : ''
  return [
    `## Call${of}: ${inert(effect.operation)}, ${HEADS[effect.fate]}`,
    '',
    `${inert(effect.effects.join(', '))} in ${inert(effect.environments.join(', '))}, ${moment(effect.at)}.`,
    '',
    ...(claimed === null
      ? ['The agent gave no reason that is on record.']
      : ['The agent says:', '', ...quoteLines(claimed)]),
    '',
    `What it did: ${inert(sentence(did), 1_600)}`,
    '',
    '| link | what the record says | evidence |',
    '| --- | --- | --- |',
    ...links.map(
      ({ link, says, evidence, known }) =>
        `| ${link} | ${inert(says, 1_200)}${known ? '' : ' *(not on record)*'} | ${proof(evidence).slice(2, -1)} |`,
    ),
    '',
  ]
}

function more({ chainCount, chains }: Incident): string[] {
  const left = chainCount - chains.length
  return left > 0
    ? [
        `And ${count(left, 'more harmful call')}: narrow --since, --until, --session or --resource.`,
        '',
      ]
    : []
}

function beside({ reconciled }: Incident): string[] {
  if (reconciled === null) return []
  return [
    `## ${BESIDE_TITLE}`,
    '',
    inert(besideWords(reconciled)),
    '',
    ...besideKinds(reconciled).flatMap(({ code, means, shown, more: left }) => [
      `**${inert(code)}**: ${inert(sentence(means))}`,
      '',
      ...shown.map(
        ({ at, says, evidence }) => `- ${moment(at)}: ${inert(sentence(says))}${proof(evidence)}`,
      ),
      ...(left > 0 ? [`- and ${count(left, 'more')}: \`seconder ledger reconcile --json\``] : []),
      '',
    ]),
  ]
}

function candidates(all: readonly Candidate[]): string[] {
  if (all.length === 0) return []
  return [
    '## The same calls under other policies',
    '',
    "Put to the gate's own describe and decide, with the signatures that were there.",
    '',
    '| policies | call | answer |',
    '| --- | --- | --- |',
    ...all.flatMap(({ name, answers: given, alsoStops, alsoTried }) => {
      const price =
        alsoTried === 0
          ? ''
          : ` It would also hold ${alsoStops} of ${count(alsoTried, 'other call')} of this window.`
      return given.map(
        ({ chain, wouldHave, says }, index) =>
          `| ${index === 0 ? inert(name) : ''} | ${chain} | ${wouldHave}: ${inert(sentence(says))}${index === 0 ? price : ''} |`,
      )
    }),
    '',
  ]
}

function proposal(one: Proposal | null): string[] {
  if (one === null) return []
  const { name, policy, cases, says, casesPassed } = one
  return [
    '## Proposed change',
    '',
    inert(says),
    '',
    ...(policy === null ? [] : [`\`${name}.cedar\``, '', '```cedar', fenced(policy), '```', '']),
    `\`${name}.case.json\` (${count(casesPassed, 'case')}, run and passed):`,
    '',
    ...caseNames(cases).map((words) => `- ${inert(words)}`),
    '',
    'Nothing of it is in force. To open it as a request of its own: write the files with `--propose DIR`, copy',
    'them into your policies, run `seconder policy test`, then `seconder policy activate`: two people sign.',
    '',
  ]
}

function caseNames(cases: string): string[] {
  const all = JSON.parse(cases) as readonly { readonly name: string }[]
  return all.map(({ name }) => name)
}

/** No line of it can end the fence. */
function fenced(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => escapeUntrusted(line, 4_000).replaceAll('```', "'''"))
    .join('\n')
}

function timeline({ timeline: all, timelineCount }: Incident): string[] {
  if (all.length === 0) return []
  const shown = all.slice(0, MOMENTS_SHOWN)
  const left = timelineCount - shown.length
  return [
    '## Timeline',
    '',
    `All times are UTC; the day is ${inert((all[0]?.at ?? '').slice(0, 10))} where none is named.`,
    '',
    '| time | who | what | evidence |',
    '| --- | --- | --- | --- |',
    ...shown.map((one) => momentRow(one)),
    '',
    ...(left > 0 ? [`And ${count(left, 'more line')}; \`--json\` has up to 400.`, ''] : []),
  ]
}

function momentRow({ at, who, says, quote, evidence }: Moment): string {
  const words = quote === null ? '' : ` “${plain(escapeUntrusted(quote, SHOWN_MAX))}”`
  return `| ${clock(at)} | ${inert(who)} | ${inert(says)}${words} | ${proof(evidence).slice(2, -1)} |`
}

function cannotKnow({ madeFrom, cannotKnow: all }: Incident): string[] {
  if (madeFrom === 'trail' || all.length === 0) return []
  return ['## What this ledger cannot tell', '', ...all.map((words) => `- ${inert(words)}`), '']
}

function foot({ madeFrom }: Incident): string[] {
  const check =
    madeFrom === 'ledger'
      ? 'Check any line: `seconder ledger verify DIR`, then `seconder ledger show DIR --json` prints entry by entry.'
      : 'Check any line by its event id in CloudTrail.'
  return ['---', '', check, '']
}
