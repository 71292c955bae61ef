// Builds the console into `dist`, which the gate serves. Nothing is loaded from anywhere else.
import { join } from 'node:path'
import { defineConfig } from 'vite'
import { filesInPlace, reportAssets } from './build/report-assets.ts'

const here = import.meta.dirname
const node = (file: string) => join(here, 'src', 'reports', 'node', file)
const gateway = join(here, '..', 'gateway', 'src')

// The gate's own code runs here too, for documents and statements and in the worker of the reports. What it
// asks of Node is a file of ours for each: chance and hashes, and otherwise a refusal.
const NODE: Readonly<Record<string, string>> = {
  'node:buffer': node('buffer.ts'),
  'node:crypto': node('crypto.ts'),
  'node:fs': node('fs.ts'),
  'node:os': node('none.ts'),
  'node:path': node('none.ts'),
  'node:util': node('none.ts'),
  'node:zlib': node('zlib.ts'),
  // SQL is read by a grammar of its own only in a gate; `seconder replay` has it not either.
  'libpg-query': node('none.ts'),
}

/** Files of the gateway that stand for Node itself. */
const IN_PLACE: Readonly<Record<string, string>> = {
  [join(gateway, 'decide', 'fresh-cedar.ts')]: node('fresh-cedar.ts'),
  [join(gateway, 'decide', 'reader-thread.ts')]: node('reader-thread.ts'),
}

const inPlace = {
  name: 'in-place-of-node',
  enforce: 'pre' as const,
  resolveId(id: string, importer: string | undefined) {
    if (!id.startsWith('.') || importer === undefined) return null
    return IN_PLACE[join(importer, '..', id)] ?? null
  },
}

export default defineConfig({
  root: here,
  resolve: { alias: NODE },
  plugins: [reportAssets()],
  worker: { format: 'es', plugins: () => [inPlace, filesInPlace()] },
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
