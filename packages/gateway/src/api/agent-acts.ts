// What an agent may ask of the gate itself, signed with the keys of its session: take back what it asked for.
// Nothing here approves, and nothing here shows what is of another session.
import type { HttpBindings } from '@hono/node-server'
import type { WireHeader } from '@seconder/aws/wire-request'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { requirePeer } from '../identify/session-peer.ts'
import { peerOf } from '../receive/peer.ts'
import type { SessionRow } from '../state/store.ts'
import { type ReadingEnv, socketOf } from './reading.ts'
import { shownRequest } from './shown-request.ts'

/** Two equal calls of one second have one signature; this keeps them apart. */
export const NONCE = z.string().min(16).max(64)
const CANCEL = z.strictObject({ request: z.string().max(64), nonce: NONCE })

export function addAgentActs(app: Hono<ReadingEnv>, gate: Gate): void {
  app.post('/api/agent/cancel', async (context) => {
    const { session, said } = await agentSaid(gate, context, CANCEL)
    if (!said.request.startsWith('p-')) {
      const request = await gate.desk.cancel(session.id, said.request)
      return context.json(await shownRequest(gate.store, request))
    }
    await gate.plans.cancel(session.id, said.request)
    const guidance = `plan ${said.request} was taken back; nothing of it will be done`
    return context.json({ requestId: said.request, state: 'cancelled', guidance })
  })
}

/** The session that signed the call, and what it said. Errors: those of agentSession; `session_elsewhere`, `statement_invalid`. */
export async function agentSaid<T>(
  gate: Gate,
  context: Context,
  shape: z.ZodType<T>,
): Promise<{ readonly session: SessionRow; readonly said: T }> {
  const body = new Uint8Array(await context.req.arrayBuffer())
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
  const raw = incoming?.rawHeaders ?? []
  const headers: WireHeader[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    headers.push([raw[index] ?? '', raw[index + 1] ?? ''])
  }
  const target = incoming?.url ?? ''
  const session = await gate.sessions.ofAgent({ method: context.req.method, target, headers, body })
  // What this takes back or begins, keys that were read somewhere else may not (red team H17).
  await requirePeer(gate, session, () => peerOf(socketOf(context.env)))
  const parsed = shape.safeParse(parsedJson(body))
  if (parsed.success) return { session, said: parsed.data }
  const issue = parsed.error.issues[0]
  throw new GatewayError(
    'statement_invalid',
    `the body: \`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? 'is wrong'}`,
    'see docs/api.md',
  )
}

function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return null // which no shape takes
  }
}
