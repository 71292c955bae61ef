// Since when each environment only observes. It ends by itself 14 days after it began (red team H4), whatever epochs come
// in between: another one goes on with it, and only one that enforced meanwhile begins it anew.
import type { EnvironmentRow } from '../config.ts'
import type { EpochRow, Store } from '../state/store.ts'
import type { EpochContent } from './content.ts'

/** How long an environment may observe, in milliseconds. */
export const OBSERVE_MS_MAX = 14 * 24 * 60 * 60 * 1000

/** Environment to the moment that it began to observe, in milliseconds. */
export type ObservingSince = Readonly<Record<string, number>>

export async function observingSince(
  { number, content, activatedAtMs }: EpochRow,
  store: Pick<Store, 'epoch'>,
): Promise<ObservingSince> {
  const since = new Map(observedIn(content).map((name) => [name, activatedAtMs]))
  let going = [...since.keys()]
  for (let before = number - 1; going.length > 0 && before > 0; before--) {
    const earlier = await store.epoch(before)
    if (earlier === undefined) break
    const observed = new Set(observedIn(earlier.content))
    going = going.filter((name) => observed.has(name))
    for (const name of going) since.set(name, earlier.activatedAtMs)
    // What has been observed for so long is over, however much longer it was.
    if (earlier.activatedAtMs + OBSERVE_MS_MAX <= activatedAtMs) break
  }
  return Object.fromEntries(since)
}

function observedIn(content: string): string[] {
  const { environments } = JSON.parse(content) as Pick<EpochContent, 'environments'>
  return environments.filter(({ mode }) => mode === 'observe').map(({ name }) => name)
}

/** Whether this row observes now. */
export function observesNow(
  { name, mode }: Pick<EnvironmentRow, 'name' | 'mode'>,
  since: ObservingSince,
  nowMs: number,
): boolean {
  const sinceMs = Object.hasOwn(since, name) ? since[name] : undefined
  return mode === 'observe' && sinceMs !== undefined && nowMs < sinceMs + OBSERVE_MS_MAX
}

/** Whether calls under this role are only observed there, while it observes. */
export function observesRole(
  { observeRoles }: Pick<EnvironmentRow, 'observeRoles'>,
  role: string,
): boolean {
  return observeRoles === undefined || observeRoles.includes(role)
}

/** An environment that does not enforce, and when that ends. */
export interface Observing {
  readonly name: string
  readonly until: string
  /** The only ones whose calls are not enforced; absent = all roles. */
  readonly roles?: readonly string[]
}

/** Those that observe now, each once. */
export function observingNow(
  rows: readonly EnvironmentRow[],
  since: ObservingSince,
  nowMs: number,
): Observing[] {
  const observed = rows.filter((row) => observesNow(row, since, nowMs))
  return [...new Set(observed.map(({ name }) => name))].map((name) => {
    const until = new Date((since[name] ?? 0) + OBSERVE_MS_MAX).toISOString()
    const lists = observed.filter((row) => row.name === name).map((row) => row.observeRoles)
    if (lists.includes(undefined)) return { name, until }
    return { name, until, roles: [...new Set(lists.flatMap((list) => list ?? []))] }
  })
}
