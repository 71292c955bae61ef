// Says what another user of this host could do to the places of the gate, from owners and mode bits along
// the whole way. It tries nothing; access lists beyond the bits are not seen. What cannot be looked at is
// reached by nobody that is known, and said by `doctor`.
import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { GatewayError } from '../errors.ts'
import type { Place } from './places.ts'

/** Who would reach: a user with groups, or whoever is nobody in particular. */
export interface Somebody {
  /** null: any user but the owners. */
  readonly uid: number | null
  /** null: not known, so every group counts. */
  readonly groups: ReadonlySet<number> | null
}

export const ANYBODY: Somebody = { uid: null, groups: new Set() }

export interface Breach {
  readonly place: Place
  readonly can: 'read' | 'change'
  /** The file or folder whose bits let them. */
  readonly at: string
}

const READ = 4
const WRITE = 2
const ENTER = 1
const STICKY = 0o1000
/** Entries of one folder that are looked at. */
const ENTRIES_MAX = 1_000

/** What `who` could do to the places against their rule; one breach for each place at most. */
export function breaches(places: readonly Place[], who: Somebody): Breach[] {
  return places.flatMap((place) => {
    const can = breachOf(place, who)
    return can === null ? [] : [{ place, ...can }]
  })
}

function breachOf({ path, rule }: Place, who: Somebody): Omit<Breach, 'place'> | null {
  const real = realPath(path)
  if (real === null) return replaceable(path, who)
  const changed = replaceable(path, who) ?? replaceable(real, who) ?? writable(real, who)
  if (changed !== null) return changed
  if (rule === 'secret' && may(real, who, READ) && isEntered(real, who)) {
    return { can: 'read', at: real }
  }
  return null
}

/** A file, or a folder with the entries in it: not those below, which stand on the same folder. */
function writable(path: string, who: Somebody): Omit<Breach, 'place'> | null {
  if (!isEntered(path, who)) return null
  if (may(path, who, WRITE)) return { can: 'change', at: path }
  for (const entry of entriesOf(path)) {
    if (may(path, who, ENTER) && may(entry, who, WRITE)) return { can: 'change', at: entry }
  }
  return null
}

/** Whoever may write into a folder on the way may put another thing in the place of what is there. */
function replaceable(path: string, who: Somebody): Omit<Breach, 'place'> | null {
  for (const [child, parent] of wayTo(path)) {
    const folder = statOf(parent)
    if (folder === null || !isEntered(parent, who)) continue
    if (!allows(folder, who, WRITE) || !allows(folder, who, ENTER)) continue
    const inside = statOf(child)
    // In a sticky folder only the owner of a thing, or of the folder, may move it away.
    const isSticky = (folder.mode & STICKY) !== 0
    if (isSticky && inside !== null && who.uid !== inside.uid && who.uid !== folder.uid) continue
    return { can: 'change', at: parent }
  }
  return null
}

function isEntered(path: string, who: Somebody): boolean {
  return wayTo(path).every(([, parent]) => may(parent, who, ENTER))
}

/** Each step of a path with the folder it is in, from the root. */
function wayTo(path: string): [child: string, parent: string][] {
  const steps: [string, string][] = []
  for (let at = resolve(path); dirname(at) !== at; at = dirname(at))
    steps.unshift([at, dirname(at)])
  return steps
}

function may(path: string, who: Somebody, right: number): boolean {
  const stat = statOf(path)
  return stat !== null && allows(stat, who, right)
}

/** Source: path_resolution(7), "Permissions": owner's bits, else group's, else other's. */
function allows({ mode, uid, gid }: Stats, who: Somebody, right: number): boolean {
  if (who.uid === 0) return true
  if (who.uid === uid) return (mode & (right << 6)) !== 0
  if (who.groups === null) return (mode & ((right << 3) | right)) !== 0
  if (who.groups.has(gid)) return (mode & (right << 3)) !== 0
  return (mode & right) !== 0
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null // not there yet: what counts is who could put it there
  }
}

function entriesOf(path: string): string[] {
  if (statOf(path)?.isDirectory() !== true) return []
  try {
    return readdirSync(path)
      .slice(0, ENTRIES_MAX)
      .map((name) => join(path, name))
  } catch {
    return [] // whom the gate's own user cannot list for, nobody else is said to reach
  }
}

/**
 * The user of that number with the groups of this host's files; a user that is not in them may be in any.
 * Source: passwd(5), group(5).
 */
export function somebody(
  uid: number,
  files = { passwd: '/etc/passwd', group: '/etc/group' },
): Somebody {
  const users = rowsOf(files.passwd)
  const user = users.find((fields) => fields[2] === String(uid))
  if (user === undefined) return { uid, groups: null }
  const [name = '', , , gid = ''] = user
  const others = rowsOf(files.group).filter((fields) => (fields[3] ?? '').split(',').includes(name))
  return { uid, groups: new Set([Number(gid), ...others.map((fields) => Number(fields[2]))]) }
}

function rowsOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return [] // no such file: then nobody's groups are known
  }
}

/** What would shut it, for a person. */
export function mending({ place, can, at }: Breach): string {
  const isShared = ((statOf(at)?.mode ?? 0) & STICKY) !== 0
  if (isShared) return `keep ${place.path} in a folder of the gate's own, not in ${at}`
  return `chmod ${can === 'read' ? 'go-rwx' : 'go-w'} ${at}`
}

/** Errors: `wall_open`, naming the first breach and how to mend it. */
export function requireWall(places: readonly Place[], who: Somebody): void {
  const [first, ...more] = breaches(places, who)
  if (first === undefined) return
  const whom = who.uid === null ? 'any user of this host' : `user ${who.uid}`
  const others = more.length === 0 ? '' : `, and ${more.length} more like it`
  throw new GatewayError(
    'wall_open',
    `${whom} could ${first.can} ${first.place.what} (\`${first.at}\`)${others}`,
    `${mending(first)}; seconder doctor lists all`,
  )
}
