// How many people a requirement asks for, as an entry has it (`any:1`, `sre:2`). Runs in browsers.

/**
 * The fewest people that fill the seats asked for: one person fills one, and `any` is of whatever team. NaN where a
 * count is none.
 */
export function peopleOf(requirement: unknown): number {
  const teams = new Map<string, number>()
  for (const seat of Array.isArray(requirement) ? requirement : []) {
    const [team = '', count = ''] = String(seat).split(':')
    const people = /^\d{1,6}$/.test(count) ? Number(count) : Number.NaN
    teams.set(team, Math.max(teams.get(team) ?? 0, people))
  }
  const anybody = teams.get('any') ?? 0
  teams.delete('any')
  return Math.max(
    1,
    anybody,
    [...teams.values()].reduce((all, count) => all + count, 0),
  )
}
