// Builds the console where its sources changed since the last build. Plain JavaScript without dependencies:
// it runs on whatever Node the machine has, and starts the build on the project's own.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const home = join(root, 'packages', 'console')
const stamp = join(home, 'dist', '.built')

/** What the console is made of: its own sources, and those of others that run in it. */
const SOURCES = [
  join(home, 'src'),
  join(home, 'public'),
  join(home, 'build'),
  ...['review', 'lib', 'describe', 'break-glass', 'decide', 'resolve', 'epoch'].map((folder) =>
    join(root, 'packages', 'gateway', 'src', folder),
  ),
  ...['aws', 'ledger', 'replay'].map((name) => join(root, 'packages', name, 'src')),
  join(root, 'packages', 'aws', 'data'),
]
const FILES = [
  join(home, 'index.html'),
  join(home, 'vite.config.ts'),
  join(root, 'package-lock.json'),
]

export function buildConsole() {
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const windows = process.platform === 'win32'
  const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node')
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const config = join(home, 'vite.config.ts')
  const args = [vite, 'build', home, '--config', config, '--logLevel', 'warn']
  const done = spawnSync(node, args, { cwd: root, encoding: 'utf8' })
  if (done.status !== 0) {
    process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n`)
    process.stderr.write(
      'seconder: the console could not be built; what the build said is above.\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}

function fingerprint() {
  const hash = createHash('sha256')
  const files = SOURCES.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  )
  for (const file of [...files.sort(), ...FILES]) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}
