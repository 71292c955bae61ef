// Speaks to the gate as an agent: with the keys of the session in the environment, each call signed (SigV4,
// service `seconder`). A person's verb is never here; those are signed by a person's key.
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireRequest } from '@seconder/aws/wire-request'
import { AGENT_SCOPE } from '@seconder/gateway/identify/agent-act'
import { CommandFailure, EXIT } from './failure.ts'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'

export interface SessionKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** The keys of the session that this shell belongs to. Errors: CommandFailure `usage`. */
export function keysOfEnvironment(environment = process.env): SessionKeys {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID']
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey) {
    throw new CommandFailure(
      'usage',
      'this is asked by an agent, with the keys of its session',
      'run it where AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are those of `seconder session open`',
      EXIT.usage,
    )
  }
  return { accessKeyId, secretAccessKey, sessionToken: environment['AWS_SESSION_TOKEN'] }
}

/** Signs and sends one call of the agent's; returns what the gate answered. */
export function agentPost<T>(
  client: GateClient,
  keys: SessionKeys,
  path: string,
  said: object,
): Promise<T> {
  const url = new URL(`${client.base}${path}`)
  const body = new TextEncoder().encode(JSON.stringify({ ...said, nonce: nonce() }))
  const request: WireRequest = {
    method: 'POST',
    target: url.pathname,
    headers: [
      ['host', url.host],
      ['content-type', 'application/json'],
    ],
    body,
  }
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  const headers = sign(request, credentials, AGENT_SCOPE, Date.now())
  return client.send(path, {
    method: 'POST',
    headers: headers.filter(([name]) => name !== 'host').map(([name, value]) => [name, value]),
    body,
  })
}
