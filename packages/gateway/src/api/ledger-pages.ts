// The ledger for readers: entries by their place, a session's entries, and the files as they are, so that a
// browser can verify them itself.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { ledgerFile } from '@seconder/ledger/layout'
import type { Context, Hono } from 'hono'
import { GatewayError } from '../errors.ts'
import { PAGE_MAX, type Timeline } from '../record/timeline.ts'
import type { ReadingEnv } from './reading.ts'

const ENTRIES_LISTED = 100

export interface LedgerReading {
  readonly timeline: Timeline
  readonly directory: string
}

export function addLedgerPages(
  app: Hono<ReadingEnv>,
  { timeline, directory }: LedgerReading,
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
    const found = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = found
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    return context.json({ files })
  })
  app.get('/api/ledger/files/*', async (context) => {
    const name = context.req.path.slice('/api/ledger/files/'.length)
    // Names of a ledger's files are a closed form, which has no `..` in it.
    if (ledgerFile(name).kind === 'unknown') throw noFile()
    let bytes: Buffer
    try {
      bytes = await readFile(join(directory, name))
    } catch {
      throw noFile()
    }
    return context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })
  })
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
