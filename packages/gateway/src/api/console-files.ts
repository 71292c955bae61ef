// Serves the console as it was built: files of one folder, read at start, each by its exact name. Nothing a
// page needs comes from anywhere else, and no page runs inside another.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Context, Hono } from 'hono'
import type { ReadingEnv } from './reading.ts'

/** Where `tools/build-console.mjs` puts it. */
export const CONSOLE_FOLDER = join(import.meta.dirname, '..', '..', '..', 'console', 'dist')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.gz': 'application/octet-stream',
}

// Source: https://www.w3.org/TR/CSP3/
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/**
 * The worker that reads what people drop into Replay and Roles: it runs Cedar, which is WebAssembly, and may connect
 * to nothing. A worker has the policy that its own file was served with; the page's lets no WebAssembly in.
 * Source: https://www.w3.org/TR/CSP3/ (wasm-unsafe-eval); https://html.spec.whatwg.org/multipage/workers.html
 */
const WORKER_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "require-trusted-types-for 'script'",
].join('; ')
const WORKER = /^\/assets\/report-worker-[^/]*\.js$/

/** Pages of the console; each is the one document, which reads its address. */
const PAGES = [
  '/',
  '/requests/:id',
  '/sessions',
  '/sessions/:id',
  '/ledger',
  '/break-glass',
  '/break-glass/:id',
  '/policies',
  '/roles',
  '/replay',
  '/people',
  '/first-member',
  '/sign-in',
]

interface ConsoleFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly policy: string
}

export class ConsoleFiles {
  readonly #files = new Map<string, ConsoleFile>()

  /** Without the folder there is no console, and pages answer in words. */
  constructor(folder = CONSOLE_FOLDER) {
    if (!existsSync(folder)) return
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)]
      if (!entry.isFile() || type === undefined) continue
      const path = join(entry.parentPath, entry.name)
      const name = `/${path.slice(folder.length + 1).replaceAll('\\', '/')}`
      const policy = WORKER.test(name) ? WORKER_POLICY : POLICY
      this.#files.set(name, { bytes: new Uint8Array(readFileSync(path)), type, policy })
    }
  }

  get isBuilt(): boolean {
    return this.#files.has('/index.html')
  }

  /** The page, or null where there is no console or the client wants no page. */
  page(context: Context): Response | null {
    const file = this.#files.get('/index.html')
    const wantsPage = context.req.header('accept')?.includes('text/html') === true
    return file && wantsPage ? sent(file, 'no-cache') : null
  }

  file(path: string): Response | null {
    const file = this.#files.get(path)
    // A build names each of its files by what is in it.
    return file
      ? sent(file, path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      : null
  }
}

function sent({ bytes, type, policy }: ConsoleFile, cache: string): Response {
  return new Response(bytes, {
    headers: {
      'content-type': type,
      'cache-control': cache,
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    },
  })
}

/** `words` answers a page where no console is built, or a program asks. */
export function addConsole(
  app: Hono<ReadingEnv>,
  files: ConsoleFiles,
  words: (context: Context) => Response,
): void {
  for (const path of PAGES) app.get(path, (context) => files.page(context) ?? words(context))
  app.get('/assets/:name', (context) => files.file(context.req.path) ?? context.notFound())
  app.get('/icon.svg', (context) => files.file('/icon.svg') ?? context.notFound())
}
