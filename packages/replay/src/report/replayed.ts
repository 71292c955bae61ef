// Makes the report: every event of the store in the order of time, against what was judged of its call.
// One pass; what grows with the trail is bounded.

import { idText } from '../event/event-time.ts'
import type { Who } from '../event/who.ts'
import { type Judgements, judge } from '../judge/judge.ts'
import type { Judgement } from '../judge/judgement.ts'
import type { Rules } from '../judge/rules.ts'
import type { KnownCall } from '../store/known-call.ts'
import { FLAG } from '../store/row.ts'
import type { Columns, TrailStore } from '../store/trail-store.ts'
import { provable } from './provable.ts'
import { type Making, makingOf, mayMake, Recreations } from './recreations.ts'
import {
  CHANGES_LISTED_MAX,
  type Change,
  type Deed,
  GROUPS_LISTED_MAX,
  isoOf,
  type Report,
  type Week,
} from './report.ts'
import { ReviewGroups } from './review-groups.ts'
import { Counter, Tally, withGroups } from './tally.ts'

export interface Asked {
  readonly rules: Rules
  /** With it the report says what changes from these to the rules. */
  readonly against?: Rules
  /** Seconds since 1970; events without a time are then left out. */
  readonly since?: number
  /** A part of the principal's name, or a pattern with `*`. */
  readonly principal?: string
}

const WEEK = 7 * 86_400
/** 1970-01-01 was a Thursday: weeks begin on Mondays. */
const MONDAY = 3 * 86_400

/** Places of KINDS. */
const ALLOWED = 0
const REVIEWED = 1
const DENIED = 2
const FAILED = 3
const SERVICE = 4
const UNMAPPED = 5
const NOT_A_CALL = 6

export function replayed(store: TrailStore, asked: Asked): Report {
  return new Replay(store, asked).report()
}

class Replay {
  readonly #store: TrailStore
  readonly #asked: Asked
  readonly #whos: Who[]
  readonly #judgements: Judgements
  readonly #before: Judgements | null
  readonly #isSelected: Uint8Array
  readonly #sessions: Uint32Array
  readonly #agentOf: readonly (string | undefined)[]
  readonly #by = {
    week: new Tally(),
    principal: new Tally(),
    agent: new Tally(),
    action: new Tally(),
    environment: new Tally(),
  }
  readonly #counts = new Float64Array(7)
  readonly #judged: number[] = []
  readonly #failed: number[] = []
  /** Groups of reviews by week, principal and agent. */
  readonly #groupsOf = { week: new Counter(), principal: new Counter(), agent: new Counter() }
  readonly #weekNames = new Map<number, string>()
  readonly #groups = new ReviewGroups(GROUPS_LISTED_MAX)
  readonly #recreations = new Recreations()
  readonly #makings: (Making | null | undefined)[] = []
  readonly #changes = new Map<string, { change: Omit<Change, 'count'>; count: number }>()
  #changedCount = 0
  #refused = 0
  #leftOut = 0
  #first = 0
  #last = 0
  #data = 0

  constructor(store: TrailStore, asked: Asked) {
    this.#store = store
    this.#asked = asked
    this.#whos = store.whos.map((text) => JSON.parse(text) as Who)
    this.#judgements = judge(store, this.#whos, asked.rules)
    this.#before = asked.against === undefined ? null : judge(store, this.#whos, asked.against)
    const selects = selector(asked.principal)
    this.#isSelected = Uint8Array.from(this.#whos, ({ principal }) => (selects(principal) ? 1 : 0))
    const numbers = new Map<string, number>()
    this.#sessions = Uint32Array.from(this.#whos, ({ session }) => {
      if (!numbers.has(session)) numbers.set(session, numbers.size)
      return numbers.get(session) as number
    })
    this.#agentOf = this.#whos.map(({ session }) => store.tags.get(session))
  }

  report(): Report {
    for (const slice of this.#store.slices) this.#slice(slice())
    return this.#made()
  }

  #slice(columns: Columns): void {
    const { count, times, calls, whos, agents, flags } = columns
    const { week, principal, agent, action, environment } = this.#by
    const since = this.#asked.since ?? 0
    const { list, of } = this.#judgements
    const principals = this.#whos.map((who) => principal.numberOf(who.principal))
    const agentNames = this.#store.agents.map((name) => agent.numberOf(name))
    const tagged = this.#agentOf.map((name) => (name === undefined ? -1 : agent.numberOf(name)))
    const numbers: { action: number; environment: number }[] = []
    let weekAt = -1
    let weekNumber = -1
    for (let row = 0; row < count; row++) {
      const seconds = times[row] as number
      const who = whos[row] as number
      if (seconds < since || this.#isSelected[who] === 0) {
        this.#leftOut++
        continue
      }
      const call = calls[row] as number
      const place = of(call, who)
      const judgement = list[place] as Judgement
      const flag = flags[row] as number
      const kind = kindOf(judgement, flag)
      this.#counts[kind] = (this.#counts[kind] as number) + 1
      if (seconds !== 0) {
        if (this.#first === 0) this.#first = seconds
        this.#last = seconds
      }
      if ((flag & FLAG.data) !== 0) this.#data++
      if (kind === NOT_A_CALL) continue
      const weekHere = seconds === 0 ? -2 : Math.floor((seconds + MONDAY) / WEEK)
      if (weekHere !== weekAt) {
        weekAt = weekHere
        weekNumber = week.numberOf(this.#weekName(seconds))
      }
      numbers[place] ??= {
        action: action.numberOf(judgement.operation),
        environment: environment.numberOf(judgement.environment || 'unknown'),
      }
      const number = numbers[place]
      week.add(weekNumber, kind)
      principal.add(principals[who] as number, kind)
      agent.add(
        agentNumber(tagged[who] as number, agentNames[agents[row] as number] as number),
        kind,
      )
      action.add(number.action, kind)
      environment.add(number.environment, kind)
      if (kind === FAILED) {
        this.#failed[place] = (this.#failed[place] ?? 0) + 1
        if ((flag & FLAG.refused) !== 0) this.#refused++
      } else if (kind !== SERVICE) {
        this.#judged[place] = (this.#judged[place] ?? 0) + 1
        this.#further(columns, row, judgement, kind)
      }
    }
  }

  /** What is done only for calls that happened, that somebody made, and that are judged. */
  #further(columns: Columns, row: number, judgement: Judgement, kind: number): void {
    const seconds = columns.times[row] as number
    const who = columns.whos[row] as number
    const call = columns.calls[row] as number
    if (kind === REVIEWED) {
      const agent = this.#agent(columns, row)
      const session = this.#sessions[who] as number
      const { operation, requirement } = judgement
      if (this.#groups.add({ seconds, session, who, agent, operation, requirement })) {
        this.#groupsOf.week.add(this.#weekName(seconds))
        this.#groupsOf.principal.add((this.#whos[who] as Who).principal)
        this.#groupsOf.agent.add(agent)
      }
    }
    if (this.#before !== null) this.#compare(call, who, judgement)
    const making = this.#making(call, judgement)
    if (making === null) return
    this.#recreations.see(making, seconds, () => this.#deed(columns, row, judgement))
  }

  /** The verb decides first, so that few calls are read for the names in them. */
  #making(call: number, { operation }: Judgement): Making | null {
    let making = this.#makings[call]
    if (making === undefined) {
      making = mayMake(operation)
        ? makingOf(JSON.parse(this.#store.calls[call] as string) as KnownCall)
        : null
      this.#makings[call] = making
    }
    return making
  }

  /** Monday of the week, as a date; empty for an event without a time. */
  #weekName(seconds: number): string {
    if (seconds === 0) return ''
    const week = Math.floor((seconds + MONDAY) / WEEK)
    let name = this.#weekNames.get(week)
    if (name === undefined) {
      name = new Date((week * WEEK - MONDAY) * 1000).toISOString().slice(0, 10)
      this.#weekNames.set(week, name)
    }
    return name
  }

  #deed(columns: Columns, row: number, judgement: Judgement): Deed {
    const who = this.#whos[columns.whos[row] as number] as Who
    return {
      at: isoOf(columns.times[row] as number),
      eventId: idText(columns.ids(), row * 4),
      operation: judgement.operation,
      principal: who.principal,
      session: who.session,
      agent: this.#agent(columns, row),
      answer: judgement.answer,
      requirement: judgement.requirement,
      environment: judgement.environment,
    }
  }

  #agent(columns: Columns, row: number): string {
    const tag = this.#agentOf[columns.whos[row] as number]
    return tag ?? this.#store.agents[columns.agents[row] as number] ?? 'unknown'
  }

  #compare(call: number, who: number, judgement: Judgement): void {
    const { list, of } = this.#before as Judgements
    const before = list[of(call, who)] as Judgement
    const from = words(before)
    const to = words(judgement)
    if (from === to && before.environment === judgement.environment) return
    this.#changedCount++
    const { operation, environment } = judgement
    const { principal } = this.#whos[who] as Who
    const key = `${from}\n${to}\n${operation}\n${environment}\n${principal}`
    const known = this.#changes.get(key)
    if (known !== undefined) known.count++
    else if (this.#changes.size < CHANGES_LISTED_MAX) {
      this.#changes.set(key, { change: { from, to, operation, environment, principal }, count: 1 })
    }
  }

  #made(): Report {
    const { rules, against } = this.#asked
    const { facts } = this.#store
    const count = (kind: number) => this.#counts[kind] as number
    const [allowed, reviewed, denied] = [count(ALLOWED), count(REVIEWED), count(DENIED)]
    const mapped = allowed + reviewed + denied + count(FAILED) + count(SERVICE)
    const weeks = this.#weekCount()
    const groups = this.#groups.count
    const judgements = this.#judgements.list
    const seen = { judgements, judged: this.#judged, failed: this.#failed }
    const found = provable({
      ...seen,
      facts,
      data: this.#data,
      first: this.#first,
      isConfigured: rules.isConfigured,
    })
    return {
      events: facts.events,
      unique: mapped + count(UNMAPPED) + count(NOT_A_CALL),
      mapped,
      unmapped: count(UNMAPPED),
      notApiCalls: count(NOT_A_CALL),
      failed: count(FAILED),
      allowed,
      denied,
      reviewed,
      reviewsPerWeek: { raw: round(reviewed / weeks), grouped: round(groups / weeks) },
      cannotProve: found.cannotProve,
      apart: {
        serviceMade: count(SERVICE),
        failedWouldBe: found.failedWouldBe,
        refusedByAws: this.#refused,
        mayBeStricter: found.mayBeStricter,
        leftOut: this.#leftOut,
      },
      recreated: this.#recreations.found,
      recreatedCount: this.#recreations.count,
      unmappedCalls: found.unmappedCalls,
      weeks: this.#weeks(),
      principals: withGroups(this.#by.principal, this.#groupsOf.principal),
      agents: withGroups(this.#by.agent, this.#groupsOf.agent),
      actions: this.#by.action.rows(),
      environments: this.#by.environment.rows(),
      reviewGroups: this.#listedGroups(),
      reviewGroupCount: groups,
      denials: found.denials,
      ...(this.#before !== null && {
        changes: [...this.#changes.values()]
          .map(({ change, count: times }) => ({ ...change, count: times }))
          .sort((a, b) => b.count - a.count),
        changedCount: this.#changedCount,
      }),
      window: { from: isoOf(this.#first), to: isoOf(this.#last), weeks: round(weeks) },
      policy: versionOf(rules),
      ...(against !== undefined && { against: versionOf(against) }),
      trail: facts,
    }
  }

  /** The fewer of the weeks between the first and the last event and of those with events: gaps thin nothing out. */
  #weekCount(): number {
    const named = this.#by.week.rows(Number.POSITIVE_INFINITY).filter(({ name }) => name !== '')
    return Math.max(1, Math.min((this.#last - this.#first) / WEEK, named.length))
  }

  #weeks(): Week[] {
    const weeks = this.#by.week.rows(Number.POSITIVE_INFINITY).map(({ name, ...counts }) => ({
      week: name,
      ...counts,
      groups: this.#groupsOf.week.of(name),
    }))
    return weeks.sort((a, b) => (a.week < b.week ? -1 : 1))
  }

  #listedGroups() {
    return this.#groups.largest().map((group) => {
      const who = this.#whos[group.who] as Who
      return {
        from: isoOf(group.seconds),
        principal: who.principal,
        session: who.session,
        agent: group.agent,
        calls: group.calls,
        operations: [...group.operations],
        requirement: mostOfEach(group.requirement),
      }
    })
  }
}

function versionOf({ from, policySet, isConfigured }: Rules) {
  return { from, version: policySet.version, configured: isConfigured }
}

function kindOf({ answer }: Judgement, flags: number): number {
  if (answer === 'not-an-api-call') return NOT_A_CALL
  // A name that is not known stays unmapped, whoever called and whatever came of it.
  if (answer === 'unmapped') return UNMAPPED
  if ((flags & FLAG.byService) !== 0) return SERVICE
  if ((flags & FLAG.failed) !== 0) return FAILED
  return answer === 'allowed' ? ALLOWED : answer === 'reviewed' ? REVIEWED : DENIED
}

function agentNumber(tagged: number, named: number): number {
  return tagged === -1 ? named : tagged
}

function words({ answer, requirement }: Judgement): string {
  return answer === 'reviewed' ? `reviewed by ${requirement.join(' and ')}` : answer
}

/** Of `any:1` and `any:2` the latter, and of `any:1` and `sre:1` the latter: what would be asked where all were one review. */
function mostOfEach(seats: Iterable<string>): string[] {
  const most = new Map<string, number>()
  for (const seat of seats) {
    const [team = '', count = '1'] = seat.split(':')
    most.set(team, Math.max(most.get(team) ?? 0, Number(count)))
  }
  const anybody = most.get('any') ?? 0
  const named = [...most.values()].reduce((sum, count) => sum + count, 0) - anybody
  if (anybody <= named) most.delete('any')
  return [...most].map(([team, count]) => `${team}:${count}`).sort()
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** A text with `*` is a pattern for the whole name, any other a part of it. */
function selector(wanted: string | undefined): (principal: string) => boolean {
  if (wanted === undefined) return () => true
  if (!wanted.includes('*')) return (principal) => principal.includes(wanted)
  const parts = wanted.split('*')
  return (principal) => matches(parts, principal)
}

/** Linear: each part is looked for behind the one before. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
