// seconder session open|ls|close: agents' sessions, opened by the signature of a registered person.
import { CLOSING_NAMESPACE } from '@seconder/gateway/identify/session-closing'
import { SESSION_LIFETIME_MS_MAX } from '@seconder/gateway/identify/session-opening'
import type { Command } from 'commander'
import {
  caFileOf,
  connectEnvironment,
  endpointEnvironment,
  shellLines,
} from '../agent-environment.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { GateClient } from '../gate-client.ts'
import { nonce } from '../nonce.ts'
import { type AgentSession, openAgentSession, resumeAgentSession } from '../opening.ts'
import { gateFor } from '../reading.ts'
import { print, table } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'

interface KeyOptions {
  readonly gate?: string
  readonly sshKey?: string
  readonly hours: string
  readonly connect?: boolean
  readonly caFile?: string
  readonly json?: boolean
}

interface OpenOptions extends KeyOptions {
  readonly role?: string
  readonly agent: string
  readonly task?: string
  readonly instigator?: readonly string[]
}

export function addSessionCommands(program: Command): void {
  const session = program
    .command('session')
    .description("agents' sessions: keys that work at this gate and nowhere else")
  session
    .command('open')
    .description('open a session for an agent; you are its operator, proved by your signature')
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--role <name>', 'role of seconder.yaml; may be left out when there is one')
    .option('--agent <name>', 'a label for the agent, e.g. "kiro-cli 1.22"', 'agent')
    .option('--task <text>', 'what it is to do; shown to reviewers as your signed words')
    .option(
      '--instigator <name...>',
      'who sent you that task: they may not review what comes of it, as little as you',
    )
    .option('--hours <n>', 'how long it lives, at most 12', '8')
    .option('--connect', 'for clients that ignore AWS_ENDPOINT_URL: by proxy and CA instead')
    .option('--ca-file <path>', "with --connect, where to write the CA's certificate")
    .option('--json', 'print accessKeyId, secretAccessKey, sessionId, endpoint as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  eval "$(seconder session open --ssh-key ~/.ssh/id_ed25519)"\n  aws dynamodb list-tables\n' +
        '  eval "$(seconder session open --task "August is wrong; fix it" --instigator carol)"\n' +
        '  eval "$(seconder session open --connect)"   # AWS CLI before 2.13 or 1.29\n',
    )
    .action(openSession)
  session
    .command('resume <id>')
    .description(
      'give your session new keys: after it was suspended, or before it ends; its id, requests and approvals stay, its old keys and child sessions end',
    )
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key; only the operator may')
    .option('--hours <n>', 'how long it lives from now on, at most 12', '8')
    .option('--connect', 'for clients that ignore AWS_ENDPOINT_URL: by proxy and CA instead')
    .option('--ca-file <path>', "with --connect, where to write the CA's certificate")
    .option('--json', 'print accessKeyId, secretAccessKey, sessionId, endpoint as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  eval "$(seconder session resume s-7f3a --ssh-key ~/.ssh/id_ed25519)"\n',
    )
    .action(resumeSession)
  session
    .command('ls')
    .description('list sessions, and below each the child sessions of its AssumeRole calls')
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key; the last one used is remembered')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder session ls\n')
    .action(listSessions)
  session
    .command('close <id>')
    .description(
      "end a session now: its keys, child sessions, requests and grants (the kill switch; any member's signature)",
    )
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--revoke', 'accepted for clarity: closing always revokes')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  seconder session close s-7f3a --revoke --ssh-key ~/.ssh/id_ed25519\n',
    )
    .action(closeSession)
}

async function openSession(options: OpenOptions): Promise<void> {
  const client = new GateClient(options.gate)
  const facts = await client.facts()
  const signer = await signerFor(client, options.sshKey)
  const role = options.role ?? (facts.roles.length === 1 ? facts.roles[0] : undefined)
  if (role === undefined || !facts.roles.includes(role)) {
    throw new CommandFailure(
      'usage',
      `name the role: --role ${facts.roles.join(' | ')}`,
      'roles come from the active epoch',
      EXIT.usage,
    )
  }
  const lifetimeMs = lifetimeOf(options)
  const { agent, task, instigator: instigators } = options
  const opening = { role, agent, lifetimeMs, task, instigators }
  const keys = await openAgentSession(client, signer, opening)
  printKeys(keys, facts, options, { operator: signer.person, role })
}

async function resumeSession(session: string, options: KeyOptions): Promise<void> {
  const client = new GateClient(options.gate)
  const facts = await client.facts()
  const signer = await signerFor(client, options.sshKey)
  const lifetimeMs = lifetimeOf(options)
  const keys = await resumeAgentSession(client, signer, { session, lifetimeMs })
  printKeys(keys, facts, options, { operator: signer.person })
}

function lifetimeOf({ hours }: KeyOptions): number {
  const lifetimeMs = Math.min(Number(hours) * 3_600_000, SESSION_LIFETIME_MS_MAX)
  if (lifetimeMs > 0) return lifetimeMs
  throw new CommandFailure('usage', '--hours is not a number from 0 to 12', '', EXIT.usage)
}

function printKeys(
  keys: AgentSession,
  facts: Parameters<typeof caFileOf>[0],
  options: KeyOptions,
  of: { readonly operator: string; readonly role?: string },
): void {
  const { sessionId, expiresAt } = keys
  const environment = options.connect
    ? connectEnvironment(keys, caFileOf(facts, options.caFile))
    : endpointEnvironment(keys)
  if (options.json) {
    const { exports } = environment
    print(JSON.stringify({ ...keys, ...of, environment: exports }))
    return
  }
  const role = of.role === undefined ? '' : `, role ${of.role}`
  print(`# session ${sessionId} of ${of.operator}${role}, until ${expiresAt}`)
  for (const line of shellLines(environment)) print(line)
}

interface ListedSession {
  readonly sessionId: string
  /** The session whose AssumeRole opened this one; null where a person did. */
  readonly parent: string | null
  readonly agent: string
  readonly operator: string
  readonly role: string
  readonly expiresAt: string
  readonly closedAt: string | null
  readonly suspendedAt: string | null
}

async function listSessions(options: {
  gate?: string
  sshKey?: string
  json?: boolean
}): Promise<void> {
  const { sessions } = await gateFor(options).get<{ sessions: ListedSession[] }>('/api/sessions')
  if (options.json) {
    print(JSON.stringify({ sessions }))
    return
  }
  if (sessions.length === 0)
    return print('No sessions. Open one with: seconder session open --ssh-key KEY')
  print(
    table(
      ['session', 'agent', 'operator', 'role', 'state'],
      underParents(sessions).map(
        ({ sessionId, parent, agent, operator, role, expiresAt, closedAt, suspendedAt }) => [
          parent === null ? sessionId : `└ ${sessionId}`,
          agent,
          operator,
          role,
          stateOf({ closedAt, suspendedAt, expiresAt }),
        ],
      ),
    ),
  )
}

function stateOf({
  closedAt,
  suspendedAt,
  expiresAt,
}: Pick<ListedSession, 'closedAt' | 'suspendedAt' | 'expiresAt'>): string {
  if (closedAt !== null) return 'closed'
  if (suspendedAt !== null) return 'suspended: its keys were used from elsewhere'
  return Date.parse(expiresAt) < Date.now() ? 'expired' : `open until ${expiresAt.slice(11, 16)}`
}

/** Each child below the session that it came from; one whose parent is not listed stays where it is. */
function underParents(sessions: readonly ListedSession[]): ListedSession[] {
  const listed = new Set(sessions.map(({ sessionId }) => sessionId))
  const isBelow = ({ parent }: ListedSession) => parent !== null && listed.has(parent)
  return sessions
    .filter((one) => !isBelow(one))
    .flatMap((one) => [one, ...sessions.filter(({ parent }) => parent === one.sessionId)])
}

async function closeSession(
  id: string,
  options: { gate?: string; sshKey?: string; json?: boolean },
): Promise<void> {
  const client = new GateClient(options.gate)
  const facts = await client.facts()
  const signer = await signerFor(client, options.sshKey)
  const act = await signer.sign(
    {
      type: 'seconder-session-close@v1',
      gate: facts.gate,
      session: id,
      signer: signer.person,
      nonce: nonce(),
      signedAt: new Date().toISOString(),
    },
    CLOSING_NAMESPACE,
  )
  const { cancelledRequests } = await client.post<{ cancelledRequests: string[] }>(
    '/api/sessions/close',
    act,
  )
  if (options.json) {
    print(JSON.stringify({ sessionId: id, cancelledRequests }))
    return
  }
  print(
    `Closed ${id}: its keys work no more, and ${cancelledRequests.length} pending requests ended with it.`,
  )
}
