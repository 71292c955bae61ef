// Fetches the pinned clients with the machine's own npm into a temporary folder and gives the few
// files of each that hold facts. Nothing of a package is installed; its integrity is checked here
// before a byte is read.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type { ClientPin } from './client-pins.ts'

/** The text of a package's files, by path in the package. */
export type ClientFiles = ReadonlyMap<string, string>

export interface FetchedClient {
  readonly pin: ClientPin
  readonly files: ClientFiles
}

/** A client of the widest service unpacks to a tenth of this. */
const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024

/** How many packages one npm process fetches, and how many such processes run at once. */
const BATCH = 25
const AT_ONCE = 4

const NEEDED =
  /^package\/(dist-es\/(?:schemas|auth|endpoint)\/\w+|dist-es\/runtimeConfig\.shared)\.js$/

interface Packed {
  readonly name: string
  readonly version: string
  readonly integrity: string
  readonly filename: string
}

/** The files of every pin. Throws where the registry gives other bytes than those pinned. */
export async function fetchClients(pins: readonly ClientPin[]): Promise<FetchedClient[]> {
  const specs = pins.map(({ name, version }) => [name, version] as const)
  const fetched = await packed(specs)
  pins.forEach((pin, at) => {
    if (fetched[at]?.pin.integrity !== pin.integrity) {
      throw new Error(`client \`${pin.name}\` ${pin.version} is not what was pinned`)
    }
  })
  return fetched
}

/** The newest version up to `until` of every client, with its integrity: for re-pinning. */
export async function newestClients(
  names: readonly string[],
  until: string,
): Promise<FetchedClient[]> {
  return await packed(names.map((name) => [name, `<=${until}`] as const))
}

async function packed(specs: readonly (readonly [string, string])[]): Promise<FetchedClient[]> {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-clients-'))
  try {
    const batches = Array.from({ length: Math.ceil(specs.length / BATCH) }, (_, at) =>
      specs.slice(at * BATCH, (at + 1) * BATCH),
    )
    const found = new Map<string, FetchedClient>()
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        for (const client of await packBatch(folder, batch)) found.set(client.pin.name, client)
      }
    })
    await Promise.all(workers)
    return specs.map(([name]) => {
      const client = found.get(name)
      if (client === undefined) throw new Error(`npm gave no client \`${name}\``)
      return client
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function packBatch(
  folder: string,
  batch: readonly (readonly [string, string])[],
): Promise<FetchedClient[]> {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const specs = batch.map(([name, range]) => `@aws-sdk/client-${name}@${range}`)
  const { stdout } = await promisify(execFile)(
    npm,
    ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder, ...specs],
    { cwd: folder, maxBuffer: ARCHIVE_BYTES_MAX, shell: process.platform === 'win32' },
  )
  return (JSON.parse(stdout) as Packed[]).map(({ name, version, filename }) => {
    const bytes = readFileSync(join(folder, filename))
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    const pin = { name: name.replace('@aws-sdk/client-', ''), version, integrity }
    return { pin, files: filesOf(bytes) }
  })
}

const BLOCK = 512

/**
 * The needed files of a package's archive, a gzipped tar of 512-byte blocks.
 * Source: POSIX.1-2017 pax, "ustar Interchange Format" (name at 0, size in octal at 124)
 */
function filesOf(archive: Uint8Array): ClientFiles {
  const tar = gunzipSync(archive, { maxOutputLength: ARCHIVE_BYTES_MAX })
  const files = new Map<string, string>()
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '')
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0
    at += BLOCK
    if (NEEDED.test(name))
      files.set(name.slice('package/'.length), tar.toString('utf8', at, at + size))
    at += Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}
