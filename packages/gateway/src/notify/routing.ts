// Which channels hear of a request: by the teams it wants, its environments and its effects. What could not be
// told of a request keeps nobody from hearing of it.
import { ANYBODY, parseSeatCount } from '../decide/seats.ts'
import type { Concern } from './notice.ts'
import type { RouteRow } from './notify-config.ts'

export interface Routing {
  readonly routes: readonly RouteRow[]
  /** The channels of a member who is to be told, or of whoever stands in for them. */
  readonly channelsOf: (person: string) => readonly string[]
}

/** Names of channels, each once, in the order of the routes. */
export function channelsFor(
  { routes, channelsOf }: Routing,
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
  const named = hearing.flatMap(({ channels, people }) => [
    ...channels,
    ...people.flatMap(channelsOf),
  ])
  return [...new Set(named)]
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
