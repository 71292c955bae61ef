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
import { Changes } from './changes.ts'
import { provable } from './provable.ts'
import { type Making, makingOf, mayMake, Recreations } from './recreations.ts'
import { type Deed, GROUPS_LISTED_MAX, isoOf, type Report, type Week } from './report.ts'
import { mostOfEach, ReviewGroups } from './review-groups.ts'
import { selector } from './selector.ts'
import { Counter, Tally, withGroups } from './tally.ts'
import { WEEK, WeekNames, weekOf } from './week-names.ts'

export interface Asked {
  readonly rules: Rules
  /** With it the report says what changes from these to the rules. */
  readonly against?: Rules
  /** Seconds since 1970; events without a time are then left out. */
  readonly since?: number
  /** A part of the principal's name, or a pattern with `*`. */
  readonly principal?: string
}

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
  readonly #weekNames = new WeekNames()
  readonly #groups = new ReviewGroups(GROUPS_LISTED_MAX)
  readonly #recreations = new Recreations()
  readonly #makings: (Making | null | undefined)[] = []
  readonly #changes = new Changes()
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
    for (const slice of this.#store.slices) {
      this.#slice(slice())
      this.#recreations.settle(this.#last)
    }
    return this.#made()
  }

  #slice(columns: Columns): void {
    const { count, times: eventTimes, calls, whos, agents, flags, weights } = columns
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
      const seconds = eventTimes[row] as number
      const times = weights === undefined ? 1 : (weights[row] as number)
      const who = whos[row] as number
      if (seconds < since || this.#isSelected[who] === 0) {
        this.#leftOut += times
        continue
      }
      const call = calls[row] as number
      const place = of(call, who)
      const judgement = list[place] as Judgement
      const flag = flags[row] as number
      const kind = kindOf(judgement, flag)
      this.#counts[kind] = (this.#counts[kind] as number) + times
      if (seconds !== 0) {
        if (this.#first === 0) this.#first = seconds
        this.#last = seconds
      }
      if ((flag & FLAG.data) !== 0) this.#data += times
      if (kind === NOT_A_CALL) continue
      const weekHere = weekOf(seconds)
      if (weekHere !== weekAt) {
        weekAt = weekHere
        weekNumber = week.numberOf(this.#weekNames.of(seconds))
      }
      numbers[place] ??= {
        action: action.numberOf(judgement.operation),
        environment: environment.numberOf(judgement.environment || 'unknown'),
      }
      const number = numbers[place]
      week.add(weekNumber, kind, times)
      principal.add(principals[who] as number, kind, times)
      agent.add(
        agentNumber(tagged[who] as number, agentNames[agents[row] as number] as number),
        kind,
        times,
      )
      action.add(number.action, kind, times)
      environment.add(number.environment, kind, times)
      if (kind === FAILED) {
        this.#failed[place] = (this.#failed[place] ?? 0) + times
        if ((flag & FLAG.refused) !== 0) this.#refused += times
      } else if (kind !== SERVICE) {
        this.#judged[place] = (this.#judged[place] ?? 0) + times
        this.#further(columns, row, judgement, kind, times)
      }
    }
  }

  /** What is done only for calls that happened, that somebody made, and that are judged. */
  #further(columns: Columns, row: number, judgement: Judgement, kind: number, times: number): void {
    const seconds = columns.times[row] as number
    const who = columns.whos[row] as number
    const call = columns.calls[row] as number
    if (kind === REVIEWED) {
      const agent = this.#agent(columns, row)
      const session = this.#sessions[who] as number
      const { operation, requirement } = judgement
      if (this.#groups.add({ seconds, session, who, agent, operation, requirement, times })) {
        this.#groupsOf.week.add(this.#weekNames.of(seconds))
        this.#groupsOf.principal.add((this.#whos[who] as Who).principal)
        this.#groupsOf.agent.add(agent)
      }
    }
    if (this.#before !== null) {
      const before = this.#before.list[this.#before.of(call, who)] as Judgement
      this.#changes.see(before, judgement, (this.#whos[who] as Who).principal, times)
    }
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
        changes: this.#changes.list(),
        changedCount: this.#changes.count,
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

function round(value: number): number {
  return Math.round(value * 10) / 10
}
