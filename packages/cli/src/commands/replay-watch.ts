// Tells when files change. It looks at names, sizes and times a few times a second, which works on every
// file system, also where a save is a new file under the old name.
import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

const PAUSE_MS = 300

/**
 * Yields after each change of any of the files; what they are may change too. What counts is told from the
 * moment of the call, also while the last change is still worked on. Never ends by itself.
 */
export function changesOf(files: () => readonly string[]): AsyncGenerator<void> {
  return changesSince(statesOf(files()), files)
}

async function* changesSince(
  first: ReadonlyMap<string, string>,
  files: () => readonly string[],
): AsyncGenerator<void> {
  let seen = first
  for (;;) {
    await setTimeout(PAUSE_MS)
    const now = statesOf(files())
    // A file that was not asked about before is no change: the folder it came into has changed already.
    const before = seen
    seen = now
    if ([...now].some(([file, state]) => (before.get(file) ?? state) !== state)) yield
  }
}

function statesOf(files: readonly string[]): Map<string, string> {
  return new Map(files.map((file) => [file, stateOf(file)]))
}

function stateOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return 'gone' // also a change
  }
}
