// In the place of the gateway's decide/fresh-cedar.ts: the same Cedar, from bytes that the page handed over. One
// instance for one worker; what broke it ends the worker, and the page says so.
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'
import * as cedar from '@cedar-policy/cedar-wasm/web'

let isReady = false

/** Compiles Cedar. Needs `wasm-unsafe-eval` in the policy that the worker was served with. */
export function giveCedar(bytes: BufferSource): void {
  cedar.initSync({ module: bytes })
  isReady = true
}

export function freshCedar(): typeof Cedar {
  if (!isReady) throw new Error('Cedar was not handed over yet')
  // The functions are the same; what differs is how the instance was loaded.
  return cedar as unknown as typeof Cedar
}
