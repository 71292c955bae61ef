// Small facts of a server that listens on loopback: when it does, and how it ends.
import type http from 'node:http'
import { GatewayError } from '../errors.ts'

/** Resolves when it listens. Errors: `invalid_config` where it cannot. */
export function once(server: {
  listening: boolean
  once(event: string, listener: (cause?: unknown) => void): unknown
}): Promise<void> {
  if (server.listening) return Promise.resolve()
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve())
    server.once('error', (cause) =>
      reject(
        new GatewayError(
          'invalid_config',
          'cannot listen: is the port in use?',
          'change `listen` in seconder.yaml',
          { cause },
        ),
      ),
    )
  })
}

/** Stops listening and ends every connection. */
export function closed(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
