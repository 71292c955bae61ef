// Lends `resolve` the way upstream that `execute` has: for reads only, answers bounded in size.
import type { SendUpstream } from '../execute/upstream.ts'
import type { Upstream } from '../resolve/upstream.ts'

/** Bytes of one look-up's answer. */
export const LOOK_UP_BYTES_MAX = 4 * 1024 * 1024

export function lookUps(send: SendUpstream): Upstream {
  return {
    async send({ service, region, method, target, headers, body, endpointPrefix }) {
      const scope = { service, region, ...(endpointPrefix === undefined ? {} : { endpointPrefix }) }
      const answer = await send({ method, target, headers, body }, scope)
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.byteLength
        if (bytes > LOOK_UP_BYTES_MAX) {
          answer.body.destroy()
          throw new Error('the look-up answered more than the limit')
        }
        chunks.push(chunk)
      }
      const named = answer.headers.map(([name, value]) => [name.toLowerCase(), value])
      return {
        status: answer.status,
        headers: Object.fromEntries(named),
        body: Buffer.concat(chunks),
      }
    },
  }
}
