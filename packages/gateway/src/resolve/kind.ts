// The noun of the tables of look-ups (kinds-*.ts): how a kind of thing is described, what tells it from
// its successor, what it holds, protects and feeds, and which operations touch it. Data and types alone.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Effect } from '../describe/action.ts'
import { textsAt } from './answer-member.ts'
import type { Fate, Finding } from './evidence.ts'
import type { ReadName } from './model-read.ts'

/** Holds where a text at the path is one of these. Paths are wire names (answer-member.ts). */
export interface Where {
  readonly path: string
  readonly in: readonly string[]
  readonly and?: Where
}

/** How an amount is written: bare text, a time, a size, or else a number (or a list's length) of nouns. */
export type Unit = 'text' | 'time' | 'bytes' | 'GiB' | 'MiB' | `${string}s${string}`

/** Something it holds: where, how it is written, and a word before it. */
export type Piece = readonly [path: string, unit: Unit, before?: string]

/** What is said of the things that a further read lists. */
export interface Tell {
  readonly where?: Where
  /** A counted noun in what the thing holds: `image`. */
  readonly count?: string
  readonly sum?: readonly [path: string, unit: 'bytes' | 'GiB']
  /** That there is one means that data is held. */
  readonly data?: true
  /** Each is something that uses the thing: `instance` and the path of its name. */
  readonly uses?: readonly [noun: string, path: string]
  /** That there is one protects the thing from deletion. */
  readonly guards?: true
}

/** A further read about the thing. In inputs `$` is its name, `$parent` what it is in, `@a.b` a member
 * of its description. */
export interface More {
  readonly what: string
  readonly read: ReadName
  readonly input: JsonObject
  readonly at: string
  readonly absent?: readonly string[]
  readonly tells: readonly Tell[]
}

/** Where its backups are listed, and the member that says when each was made. */
export interface Backups {
  readonly read: ReadName
  readonly input: JsonObject
  readonly at: string
  readonly time: string
  readonly where?: Where
}

/** What a parameter turns into a loss or a stop by the value that is there now. */
export interface Rule {
  readonly wants: string
  readonly now: string
  /** `lower`: less than now; `zero`: to nothing from something; `off`: from true to false. */
  readonly when: 'lower' | 'zero' | 'off'
  readonly effect: Effect
  readonly says: string
  /** Where nothing is set now there is no limit, so that any number is less. */
  readonly unset?: 'most'
}

/** What a parameter means for the reviewer. */
export interface Note {
  readonly says: string
  /** Text of the parameter, or `null` where it is absent; without it the note always holds. */
  readonly when?: { readonly path: string; readonly is: string | null | 'present' }
  readonly undo?: Finding['undo']
}

export interface Touch {
  /** Paths of the members that name it, first present wins; the member may be a list. */
  readonly name: readonly string[]
  readonly parent?: { readonly path: string; readonly otherwise?: string }
  readonly fate: Fate
  readonly effect?: Effect
  readonly undo?: Finding['undo']
  readonly rules?: readonly Rule[]
  readonly notes?: readonly Note[]
  /** Backups that go with the thing itself, so that they restore nothing: a parameter, and its text. */
  readonly losesContinuous?: { readonly path: string; readonly unless: string }
}

export interface Kind {
  readonly noun: string
  readonly read: ReadName
  readonly input: JsonObject
  /** Path of the described things in the answer. */
  readonly at: string
  /** Error codes that mean that there is no such thing. */
  readonly absent: readonly string[]
  /** Where the read may list others too: the member that must be the name. */
  readonly is?: string
  /** States in which it is described although it is gone. */
  readonly gone?: Where
  /** Members that tell it from a successor of the same name; bound, at least one must be there. Empty
   * where the name is all that there is. */
  readonly id: readonly string[]
  /** Members of which the review depends; bound. */
  readonly bound?: readonly string[]
  readonly holds?: readonly Piece[]
  /** Whether it holds data: always, never by its kind, or where one of these counts is above zero. */
  readonly data: 'always' | 'never' | 'told' | readonly string[]
  readonly guard?: Where
  readonly uses?: readonly (readonly [noun: string, path: string])[]
  /** Newest time to which it can be put back by itself: goes with the thing unless said otherwise. */
  readonly continuous?: string
  readonly backups?: readonly Backups[]
  /** Its ARN: `@` and a member, or a pattern with `{partition}`, `{region}`, `{account}` and `$`. */
  readonly arn?: string
  /** AWS Backup can hold recovery points of it. */
  readonly backedUp?: true
  /** Path of its tags in the description; else they are asked for by its ARN. */
  readonly tags?: string
  readonly more?: readonly More[]
  /** CloudFormation types, and how a physical id is read where it is not the name alone. */
  readonly types?: readonly string[]
  readonly physical?: RegExp
  readonly touches: Readonly<Record<string, Touch>>
  readonly source: string
}

/** Where it is: the region of the call, the account of the session's role. */
export interface Place {
  readonly region: string
  readonly account: string
}

/** How a call touches it: its row, and the parameters of the call. */
export interface Touched {
  readonly row: Touch
  readonly parameters: JsonObject
}

/** One thing of a kind. */
export interface Target {
  readonly name: string
  readonly parent: string | null
}

export function isWhere(value: Json, where: Where | undefined): boolean {
  if (where === undefined) return false
  if (!textsAt(value, where.path).some((text) => where.in.includes(text))) return false
  return where.and === undefined || isWhere(value, where.and)
}

/** An input with its placeholders filled; null where one has no value. */
export function filled(value: Json, target: Target, described: Json): Json | null {
  if (Array.isArray(value)) {
    const list = value.map((one) => filled(one, target, described))
    return list.some((one) => one === null) ? null : list.filter((one) => one !== null)
  }
  if (typeof value === 'string') return filledText(value, target, described)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value as JsonObject).map(
    ([name, one]) => [name, filled(one, target, described)] as const,
  )
  return entries.some(([, one]) => one === null)
    ? null
    : (Object.fromEntries(entries) as JsonObject)
}

function filledText(text: string, target: Target, described: Json): string | null {
  if (text === '$') return target.name
  if (text === '$parent') return target.parent
  if (!text.startsWith('@')) return text
  let at: Json = described
  for (const step of text.slice(1).split('.')) {
    const inner = Array.isArray(at) ? (at[0] ?? null) : at
    if (inner === null || typeof inner !== 'object' || !Object.hasOwn(inner, step)) return null
    at = (inner as JsonObject)[step] ?? null
  }
  return typeof at === 'string' && at !== '' ? at : null
}
