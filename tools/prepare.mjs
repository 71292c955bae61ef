// Installs what a fresh clone needs, once, and says so. Plain JavaScript without dependencies: it
// runs on whatever Node the machine has, before the project's own Node 24 is there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildConsole } from './build-console.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.prepared')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stderr.write('seconder: installing what this clone needs (once, about a minute) ...\n')
  const started = Date.now()
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // Not 'npm ci': that refuses a lockfile that lacks the other platforms' optional packages; the pins and hashes hold here too.
  const args = [
    'install',
    '--no-save',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ]
  const done = spawnSync(npm, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) {
    process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n`)
    process.stderr.write(
      'seconder: the install failed; what npm said is above. Mend it and run the command again.\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
  process.stderr.write(`seconder: installed in ${Math.round((Date.now() - started) / 1000)} s\n`)
}

buildConsole()
