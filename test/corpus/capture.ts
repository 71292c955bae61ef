// Makes the captures of packages/aws/testdata/wire anew, from the rows of its calls.json: each row is
// run by the real client it names, which takes test/corpus/listener.ts for AWS, and the request is
// kept as it was sent. It writes no expectation; those are read from AWS's documentation by people.
//
//   node test/corpus/capture.ts [--sdk FOLDER] [--only TEXT]
//
// FOLDER is where the SDK clients were installed (`npm i @aws-sdk/client-...` outside of this repository);
// rows whose client is not on this machine are left as they are, and named.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { CLIS } from '../path/clients.ts'
import { type Answer, type Listener, startListener, type Taken } from './listener.ts'
import { sendBySdk } from './sdk-sender.ts'

export interface CallRow {
  readonly file: string
  readonly client: 'cli1' | 'cli2' | 'sdk3'
  readonly region: string
  /** Of the CLI, after `aws`; `@NAME` in an argument is the file NAME of `files`. */
  readonly args?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  /** Lines of the CLI's configuration file under `[default]`. */
  readonly config?: readonly string[]
  /** Of the SDK: package after `@aws-sdk/`, command without `Command`, input; in it `{"$bytes": "..."}` and
   * `{"$stream": "..."}` are bodies, `{"$date": "..."}` is a time. */
  readonly sdk?: readonly [client: string, command: string, input: unknown]
  readonly settings?: Readonly<Record<string, unknown>>
  /** Where the client only makes an URL: the method of whoever then uses it. */
  readonly presign?: 'GET' | 'PUT'
  /** What AWS answers before the request that is kept; it is the one after these. */
  readonly answers?: readonly Answer[]
}

/** No account has these: they are made up. */
const KEYS = { accessKeyId: 'AKIDSAMPLEEXAMPLE000', secretAccessKey: 'sample/secret+example/key' }
const WIRE = new URL('../../packages/aws/testdata/wire/', import.meta.url)

/** Returns what the CLI wrote to its standard output; how it ends does not matter. */
function runCli(path: string, row: CallRow, listener: Listener, home: string): Promise<string> {
  for (const [name, text] of Object.entries(row.files ?? {})) writeFileSync(join(home, name), text)
  writeFileSync(join(home, 'config'), ['[default]', ...(row.config ?? []), ''].join('\n'))
  const env = {
    HOME: home,
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HTTPS_PROXY: listener.proxyUrl,
    AWS_CA_BUNDLE: listener.caFile,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(home, 'config'),
    AWS_DEFAULT_REGION: row.region,
    AWS_RETRY_MODE: 'standard',
    AWS_MAX_ATTEMPTS: String((row.answers?.length ?? 0) + 1),
    AWS_PAGER: '',
  }
  return new Promise((resolve) => {
    execFile(
      path,
      [...(row.args ?? [])],
      { env, cwd: home, timeout: 60_000 },
      (_, out, complaint) => {
        if (listener.taken.length === 0 && !row.presign) console.error(row.file, complaint.trim())
        resolve(out)
      },
    )
  })
}

/** The client's product and version; what else it says of this machine stays here. It is not signed. */
function productOf(userAgent: string): string {
  return /^[A-Za-z0-9.-]+\/\d[\w.]*/.exec(userAgent)?.[0] ?? 'client'
}

function fileOf({ method, target, headers, body }: Taken): Buffer {
  const lines = headers.map(([name, value]) =>
    name.toLowerCase() === 'user-agent' ? `${name}: ${productOf(value)}` : `${name}: ${value}`,
  )
  const head = `${[`${method} ${target} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

/** As a browser would send it. */
function opened(method: string, url: string): Taken {
  const { host, pathname, search } = new URL(url.trim())
  const headers = [['Host', host] as const, ['User-Agent', 'browser/1'] as const]
  return { method, target: `${pathname}${search}`, headers, body: Buffer.alloc(0) }
}

async function capture(row: CallRow, listener: Listener, home: string, sdkFolder: string) {
  listener.expect(row.answers ?? [])
  let said: string
  if (row.client === 'sdk3') {
    const [name] = row.sdk ?? ['']
    const resolve = createRequire(pathToFileURL(join(sdkFolder, 'package.json'))).resolve
    let entry: string
    try {
      entry = resolve(`@aws-sdk/${name}`)
    } catch {
      return `no @aws-sdk/${name} in ${sdkFolder}`
    }
    said = await sendBySdk(row, { entry, resolve, listener, keys: KEYS })
  } else {
    const cli = CLIS[row.client === 'cli1' ? 'v1' : 'v2']
    if (cli === undefined) return 'no such AWS CLI here'
    said = await runCli(cli.path, row, listener, home)
  }
  const taken = row.presign ? opened(row.presign, said) : listener.taken[row.answers?.length ?? 0]
  if (taken === undefined) return `nothing was sent: ${said}`
  writeFileSync(new URL(row.file, WIRE), fileOf(taken))
  return undefined
}

const { values } = parseArgs({
  options: { sdk: { type: 'string' }, only: { type: 'string', default: '' } },
})
const sdkFolder = values.sdk ?? fileURLToPath(new URL('../../', import.meta.url))
if (!existsSync(sdkFolder)) throw new Error(`--sdk: no folder ${sdkFolder}`)
const rows = JSON.parse(readFileSync(new URL('calls.json', WIRE), 'utf8')) as CallRow[]
const home = mkdtempSync(join(tmpdir(), 'seconder-corpus-'))
const listener = await startListener(join(home, 'ca'))
try {
  let count = 0
  for (const row of rows.filter(({ file }) => file.includes(values.only))) {
    const left = await capture(row, listener, home, sdkFolder)
    if (left === undefined) count++
    else console.error(`${row.file} is left as it is: ${left}`)
  }
  console.log(`captured ${count} requests`)
} finally {
  listener.close()
  rmSync(home, { recursive: true, force: true })
}
