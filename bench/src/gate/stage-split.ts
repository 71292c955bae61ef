// Splits the gate's CPU by stage: a CPU profile of the gate's own process, each sample given to the
// innermost frame that is in a stage's folder. What a stage calls (crypto, SQLite, packages/aws,
// packages/ledger, Cedar) is the stage's own; what no stage called is Node's, or the path's.
import { type Profiler, Session } from 'node:inspector'

/** The stages, and the rest that a sample can belong to. In the order of the path. */
export const PARTS = [
  'receive',
  'identify',
  'describe',
  'resolve',
  'decide',
  'review',
  'record',
  'execute',
  'state',
  'path',
  'node',
  'gc',
] as const

export type Part = (typeof PARTS)[number]

/** Microseconds of CPU, by part. */
export type StageSplit = Readonly<Record<Part, number>>

const GATEWAY_FILE = /\/packages\/gateway\/src\/(?:([a-z]+)\/)?[^/]+/
/** The ledger's loop is called by nobody: it is `record` at work. */
const LEDGER_FILE = /\/packages\/ledger\//
/** Folders whose work is that of whoever called it. */
const SHARED_FOLDERS = new Set(['lib', 'epoch', 'api'])
const IDLE = new Set(['(idle)', '(root)'])

/** Profiles this process until the answer is called; that returns the split of what ran between. */
export function startSplit(intervalUs = 200): () => Promise<StageSplit> {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: intervalUs })
  session.post('Profiler.start')
  return () =>
    new Promise((resolve, reject) => {
      session.post('Profiler.stop', (cause, { profile }) => {
        session.disconnect()
        if (cause) reject(cause)
        else resolve(splitOf(profile))
      })
    })
}

export function splitOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): StageSplit {
  const parents = new Map<number, number>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const known = new Map<number, Part | null>()
  const partOfNode = (id: number): Part | null => {
    const found = known.get(id)
    if (found !== undefined) return found
    const node = byId.get(id)
    const own = node === undefined ? null : partOfFrame(node.callFrame)
    const parent = parents.get(id)
    const part = own ?? (parent === undefined ? null : partOfNode(parent))
    known.set(id, part)
    return part
  }
  const split = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>
  for (const [index, id] of samples.entries()) {
    const name = byId.get(id)?.callFrame.functionName ?? ''
    if (IDLE.has(name)) continue
    // A delta may be negative where the clock of two cores differs; the sum is what counts.
    split[partOfNode(id) ?? 'node'] += timeDeltas[index] ?? 0
  }
  return split
}

function partOfFrame({ functionName, url }: { functionName: string; url: string }): Part | null {
  if (functionName === '(garbage collector)') return 'gc'
  if (LEDGER_FILE.test(url)) return 'record'
  const found = GATEWAY_FILE.exec(url)
  if (found === null) return null
  const folder = found[1]
  if (folder === undefined) return 'path'
  return PARTS.find((part) => part === folder) ?? (SHARED_FOLDERS.has(folder) ? null : 'path')
}
