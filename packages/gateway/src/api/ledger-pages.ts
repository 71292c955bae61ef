// The ledger for readers: entries by their place, a session's entries, and the files as they are, so that a
// browser can verify them itself.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ledgerFile } from '@seconder/ledger/layout'
import type { Context, Hono } from 'hono'
import { GatewayError } from '../errors.ts'
import type { PublishedFiles } from '../lib/published-files.ts'
import { PAGE_MAX, type Timeline } from '../record/timeline.ts'
import type { ReadingEnv } from './reading.ts'

const ENTRIES_LISTED = 100
/** Names of files in one answer: where nobody says how many, and at most. */
const FILES_LISTED = 250
export const FILES_LISTED_MAX = 1_000

export interface LedgerReading {
  readonly timeline: Timeline
  readonly directory: string
  /** Where the files are instead of there. */
  readonly bucket: PublishedFiles | null
}

export function addLedgerPages(
  app: Hono<ReadingEnv>,
  { timeline, directory, bucket }: LedgerReading,
): void {
  app.get('/api/ledger/entries', async (context) => {
    const limit = Math.min(count(context, 'limit') ?? ENTRIES_LISTED, PAGE_MAX)
    return context.json(await timeline.downwards(count(context, 'from'), limit))
  })
  app.get('/api/sessions/:id/entries', async (context) => {
    const before = count(context, 'before') ?? Number.MAX_SAFE_INTEGER
    return context.json(await timeline.ofSession(context.req.param('id'), before))
  })
  app.get('/api/ledger/files', async (context) => {
    const limit = Math.min(count(context, 'limit') ?? FILES_LISTED, FILES_LISTED_MAX)
    const files: string[] = []
    const after = context.req.query('after') ?? ''
    const names = bucket?.names(after) ?? filesAfter(directory, '', after)
    for await (const name of names) {
      if (files.length >= Math.max(1, limit)) {
        return context.json({ files, next: files.at(-1) ?? null })
      }
      files.push(name)
    }
    return context.json({ files, next: null })
  })
  app.get('/api/ledger/files/*', async (context) => {
    const name = context.req.path.slice('/api/ledger/files/'.length)
    // Names of a ledger's files are a closed form, which has no `..` in it.
    if (ledgerFile(name).kind === 'unknown') throw noFile()
    const bytes = await (bucket?.read(name) ?? readFile(join(directory, name))).catch(() => null)
    if (bytes === null) throw noFile()
    return context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })
  })
}

/** The files below a folder that come after that name, in the order of their names; what comes before is not read. */
async function* filesAfter(
  directory: string,
  below: string,
  after: string,
): AsyncGenerator<string> {
  const found = await readdir(join(directory, below), { withFileTypes: true })
  const names = found.flatMap((entry) => {
    if (entry.isDirectory()) return [`${below}${entry.name}/`]
    return entry.isFile() ? [`${below}${entry.name}`] : []
  })
  for (const name of names.sort()) {
    const isFolder = name.endsWith('/')
    if (!isFolder && name > after) yield name
    // A folder is where its own name says, with all that is in it.
    if (isFolder && (name > after || after.startsWith(name))) {
      yield* filesAfter(directory, name, after)
    }
  }
}

function noFile(): GatewayError {
  return new GatewayError(
    'not_supported',
    'the ledger has no such file',
    'see GET /api/ledger/files',
  )
}

function count(context: Context, name: string): number | null {
  const text = context.req.query(name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}
