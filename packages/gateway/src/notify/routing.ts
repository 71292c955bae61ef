// Which channels hear of a request: by the teams it wants, its environments and its effects. What could not be
// told of a request keeps nobody from hearing of it.
import { ANYBODY, parseSeatCount } from '../decide/seats.ts'
import type { Concern } from './notice.ts'
import type { RouteRow } from './notify-config.ts'

/** Names of channels, each once, in the order of the routes. */
export function channelsFor(
  routes: readonly RouteRow[],
  requirement: readonly string[],
  concern: Concern,
): string[] {
  const teams = requirement.map((seat) => parseSeatCount(seat)?.team ?? ANYBODY)
  const hearing = routes.filter(
    (route) =>
      matches(route.teams, teams, ANYBODY) &&
      matches(route.environments, concern.environments, null) &&
      matches(route.effects, concern.effects, 'unknown'),
  )
  return [...new Set(hearing.flatMap(({ channels }) => channels))]
}

/** True where the route names none, one of those, or one of those is what stands for all. */
function matches(
  named: readonly string[] | undefined,
  found: readonly string[],
  all: string | null,
): boolean {
  if (named === undefined || found.length === 0) return true
  return found.some((one) => one === all || named.includes(one))
}
