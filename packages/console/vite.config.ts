// Builds the console into `dist`, which the gate serves. Nothing is loaded from anywhere else.
import { join } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname

export default defineConfig({
  root: here,
  resolve: {
    // The gate's own code for documents and statements runs here too; its hash is our own SHA-256.
    alias: { 'node:crypto': join(here, 'src/gate/hash.ts') },
  },
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
