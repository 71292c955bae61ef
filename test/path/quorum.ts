// Random quorum conditions, as Cedar text and as a thing of their own: whether a set of people fulfils one is
// found here by trying every way to seat them, after policies/README.md and with no code of the gate.

export const TEAMS = ['sre', 'dba', 'security']

export type Random = () => number

/** What a policy asks of approvals. A seat count is `team:n`, or `any:n` for n people in all. */
export type Condition =
  | { readonly kind: 'contains' | 'containsAll' | 'containsAny'; readonly seats: readonly string[] }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }

/** One (effect, environment) of a policy set. */
export interface Rule {
  readonly effect: string
  readonly environment: string
  readonly permit: Condition
  /** Of a `forbid ... unless`: then both must hold. */
  readonly unless: Condition | null
  /** Whether a signature by a key file counts for nothing here. */
  readonly presence: boolean
}

/** The same numbers each time for one seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}

export function randomRule(random: Random, effect: string, environment: string): Rule {
  return {
    effect,
    environment,
    permit: randomCondition(random, 2),
    unless: random() < 0.3 ? randomCondition(random, 1) : null,
    presence: random() < 0.3,
  }
}

function randomCondition(random: Random, depth: number): Condition {
  if (depth > 0 && random() < 0.6) {
    const parts = [randomCondition(random, depth - 1), randomCondition(random, depth - 1)]
    return { kind: random() < 0.5 ? 'and' : 'or', parts }
  }
  const kind = pick(random, ['contains', 'containsAll', 'containsAny'] as const)
  const seats = [randomSeat(random), ...(kind === 'contains' ? [] : [randomSeat(random)])]
  return { kind, seats }
}

function randomSeat(random: Random): string {
  return random() < 0.45
    ? `any:${1 + Math.floor(random() * 3)}`
    : `${pick(random, TEAMS)}:${1 + Math.floor(random() * 2)}`
}

export function cedarOf({ effect, environment, permit, unless, presence }: Rule): string {
  const name = `${environment}-${effect}`
  const head = `action == Action::"${effect}", resource in Environment::"${environment}"`
  const policies = [
    `@id("${name}")\npermit (principal is Agent, ${head})\nwhen { ${textOf(permit)} };`,
  ]
  if (unless) {
    policies.push(
      `@id("${name}-unless")\nforbid (principal, ${head})\nunless { ${textOf(unless)} };`,
    )
  }
  if (presence) {
    const software = 'context.approvalStrength == "software"'
    policies.push(`@id("${name}-presence")\nforbid (principal, ${head})\nwhen { ${software} };`)
  }
  return `${policies.join('\n')}\n`
}

function textOf(condition: Condition): string {
  if ('parts' in condition) {
    const joint = condition.kind === 'and' ? ' && ' : ' || '
    return `(${condition.parts.map(textOf).join(joint)})`
  }
  const seats = condition.seats.map((seat) => `"${seat}"`).join(', ')
  const list = condition.kind === 'contains' ? seats : `[${seats}]`
  return `context.approvedBy.${condition.kind}(${list})`
}

/** Whether these people, each seated once for one of their teams or for none, fulfil the rule. */
export function fulfils(rule: Rule, people: readonly (readonly string[])[]): boolean {
  if (people.length === 0) return false
  const seated = new Map<string, number>()
  const trySeats = (index: number): boolean => {
    const teams = people[index]
    if (teams === undefined) return holdsFor(rule, seated, people.length)
    for (const team of teams) {
      seated.set(team, (seated.get(team) ?? 0) + 1)
      const found = trySeats(index + 1)
      seated.set(team, (seated.get(team) ?? 0) - 1)
      if (found) return true
    }
    return trySeats(index + 1)
  }
  return trySeats(0)
}

function holdsFor({ permit, unless }: Rule, seated: ReadonlyMap<string, number>, all: number) {
  return holds(permit, seated, all) && (unless === null || holds(unless, seated, all))
}

function holds(condition: Condition, seated: ReadonlyMap<string, number>, all: number): boolean {
  if ('parts' in condition) {
    const parts = condition.parts.map((part) => holds(part, seated, all))
    return condition.kind === 'and' ? !parts.includes(false) : parts.includes(true)
  }
  const filled = (seat: string) => {
    const [team = '', count = ''] = seat.split(':')
    return (team === 'any' ? all : (seated.get(team) ?? 0)) >= Number(count)
  }
  return condition.kind === 'containsAny'
    ? condition.seats.some(filled)
    : condition.seats.every(filled)
}

/** How few people can fulfil it, whoever they are. */
export function fewest(rule: Rule): number {
  const choices = [...TEAMS.map((team) => [team]), []]
  for (let count = 1; count <= 9; count += 1) {
    if (crowds(choices, count).some((people) => fulfils(rule, people))) return count
  }
  throw new Error('no nine people fulfil it')
}

/** Every crowd of so many people, each of one team or of none. */
function crowds(choices: readonly string[][], count: number): string[][][] {
  if (count === 0) return [[]]
  return choices.flatMap((choice, index) =>
    crowds(choices.slice(index), count - 1).map((rest) => [choice, ...rest]),
  )
}

/** The people that a requirement such as `["any:3", "sre:1"]` names. */
export function namedBy(requirement: readonly string[]): string[][] {
  let all = 0
  const people: string[][] = []
  for (const seat of requirement) {
    const [team = '', count = ''] = seat.split(':')
    if (team === 'any') all = Number(count)
    else for (let index = 0; index < Number(count); index += 1) people.push([team])
  }
  while (people.length < all) people.push([])
  return people
}
