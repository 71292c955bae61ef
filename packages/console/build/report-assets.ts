// What the worker of the reports needs beside its code, as files of the build that are loaded with the first
// report: Cedar, and the service index. Both are gzip, which a browser unpacks by itself; the index's blocks, brotli
// on the disk, are plain in it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const ID = 'virtual:report-assets'
const INDEX = join(import.meta.dirname, '..', '..', 'aws', 'data', 'service-index.bin')
const ENDPOINTS = join(INDEX, '..', 'endpoints.json')

/** Texts of the code that open a file, each in one place. */
const ADDRESSES: readonly { readonly address: string; readonly instead: string }[] = [
  // The bytes are given to the worker under this name (src/reports/node/fs.ts).
  {
    address: "new URL('../../data/service-index.bin', import.meta.url)",
    instead: "'service-index'",
  },
  {
    address: "readFileSync(new URL('../../data/endpoints.json', import.meta.url), 'utf8')",
    instead: JSON.stringify(JSON.stringify(JSON.parse(readFileSync(ENDPOINTS, 'utf8')))),
  },
  // Where Cedar's own loader would fetch from: it is handed its bytes.
  { address: "new URL('cedar_wasm_bg.wasm', import.meta.url)", instead: 'undefined' },
]

/** `virtual:report-assets` exports the addresses `cedar` and `index`. */
export function reportAssets(): Plugin {
  return {
    name: 'report-assets',
    resolveId: (id) => (id === ID ? `\0${ID}` : null),
    load(id) {
      if (id !== `\0${ID}`) return null
      const asset = (name: string, bytes: Uint8Array) =>
        this.emitFile({ type: 'asset', name, source: gzipSync(bytes, { level: 9 }) })
      const cedar = asset('cedar.wasm.gz', readFileSync(cedarFile()))
      const index = asset('service-index.gz', plainIndex(readFileSync(INDEX)))
      return [
        `export const cedar = import.meta.ROLLUP_FILE_URL_${cedar}`,
        `export const index = import.meta.ROLLUP_FILE_URL_${index}`,
      ].join('\n')
    },
  }
}

/** For the worker: files that the code opens by their addresses become what is there, or names. */
export function filesInPlace(): Plugin {
  return {
    name: 'files-in-place',
    enforce: 'pre',
    transform(code) {
      const found = ADDRESSES.find(({ address }) => code.includes(address))
      return found === undefined ? null : code.replace(found.address, found.instead)
    },
  }
}

function cedarFile(): string {
  // The package has its `web` for imports alone; its `nodejs` lies beside it.
  const { resolve } = createRequire(import.meta.url)
  return join(resolve('@cedar-policy/cedar-wasm/nodejs'), '..', '..', 'web', 'cedar_wasm_bg.wasm')
}

/** The same file with each block unpacked. Its form: packages/aws/src/index/service-index.ts. */
export function plainIndex(packed: Uint8Array): Buffer {
  const bytes = Buffer.from(packed)
  const headerEnd = bytes.indexOf(0x0a)
  const header = JSON.parse(bytes.toString('utf8', 0, headerEnd)) as {
    readonly services: Readonly<Record<string, readonly [offset: number, length: number]>>
  }
  const blocks: Buffer[] = []
  let at = 0
  const services = Object.entries(header.services).map(([name, [offset, length]]) => {
    const from = headerEnd + 1 + offset
    const block = brotliDecompressSync(bytes.subarray(from, from + length))
    blocks.push(block)
    at += block.length
    return [name, [at - block.length, block.length]] as const
  })
  const plain = { ...header, services: Object.fromEntries(services) }
  return Buffer.concat([Buffer.from(`${JSON.stringify(plain)}\n`), ...blocks])
}
