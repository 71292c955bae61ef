// The one key that all gateways of a ledger sign its checkpoints with: made by the first of them, beside the
// ledger that they share, and never seen half written.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export function sharedKey(path: string): KeyObject {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const { privateKey } = generateKeyPairSync('ed25519')
    const own = `${path}.${randomUUID()}`
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
    writeFileSync(own, pem, { mode: 0o600, flag: 'wx' })
    try {
      linkSync(own, path)
    } catch (cause) {
      // Another gateway was first: its key counts.
      if (!existsSync(path)) throw cause
    } finally {
      rmSync(own, { force: true })
    }
  }
  return createPrivateKey(readFileSync(path))
}
