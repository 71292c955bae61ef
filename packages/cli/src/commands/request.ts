// seconder request ls|show, wait, approve|deny|request-changes: what waits for a second person, and
// the signed answers. Rendering and signing use the document the client checked itself.
import { createInterface } from 'node:readline/promises'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { escapeUntrusted, withoutHidden } from '@seconder/gateway/lib/plain-text'
import type { Command } from 'commander'
import { CommandFailure, EXIT, type ExitCode } from '../failure.ts'
import type { GateClient } from '../gate-client.ts'
import { gateFor, sessionKeys, statusForSession } from '../reading.ts'
import { renderAny } from '../render/plan-document.ts'
import { againLines } from '../render/review-document.ts'
import { note, print, table } from '../render/terminal.ts'
import {
  type CheckedRequest,
  checkedRequest,
  type FullRequest,
  resolveRequestId,
  signReview,
  type Verdict,
} from '../reviewing.ts'
import { signerFor } from '../signing.ts'
import { wholeNumber } from '../whole-number.ts'
import { addWithdrawalCommands } from './withdrawal.ts'

interface Common {
  readonly gate?: string
  readonly sshKey?: string
  readonly json?: boolean
}

interface ReviewOptions extends Common {
  readonly comment?: string
  readonly yes?: boolean
}

const WAIT_STEP_MS = 20_000
/** A week: longer than any request is open. */
const WAIT_S_MAX = 7 * 86_400
const READS_AS = 'your registered SSH key; the last one used is remembered'

export function addRequestCommands(program: Command): void {
  const request = program.command('request').description('what waits for a second person')
  request
    .command('ls')
    .description('list requests, newest first, a hundred at a time')
    .option('--state <state>', 'pending, approved, denied, changes_requested, expired or cancelled')
    .option('--before <id>', 'go on from the last one of a list')
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', READS_AS)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder request ls --state pending\n')
    .action(listRequests)
  request
    .command('show <id>')
    .description('show what would happen, as the reviewers see it')
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', READS_AS)
    .option('--json', 'the request, its reviews and the review document')
    .addHelpText('after', '\nExample:\n  seconder request show r-51c2\n')
    .action(showRequest)
  addWithdrawalCommands(program, request)
  program
    .command('wait <id>')
    .description(
      'wait until a request is answered: exit code 0 approved, 4 denied or changes requested, 3 still open',
    )
    .option('--timeout <seconds>', 'give up after', wholeNumber(0, WAIT_S_MAX), 3_600)
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', `${READS_AS}; in an agent's shell its session's keys are enough`)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  seconder wait r-51c2 && aws dynamodb delete-table --table-name orders\n',
    )
    .action(waitForRequest)
  addVerdict(program, 'approve', 'approve', 'sign that this may happen, once')
  addVerdict(program, 'deny', 'deny', 'sign that this may not happen')
  addVerdict(
    program,
    'request-changes',
    'request_changes',
    'send it back to the agent with a reason (--comment)',
  )
}

function addVerdict(program: Command, name: string, verdict: Verdict, description: string): void {
  program
    .command(`${name} <id>`)
    .description(description)
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--comment <text>', 'told to the agent, as your words')
    .option('--yes', 'do not ask again on a terminal')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `\nExample:\n  seconder ${name} r-51c2 --ssh-key ~/.ssh/id_ed25519${verdict === 'approve' ? '' : ' --comment "change the one item instead"'}\n`,
    )
    .action((id: string, options: ReviewOptions) => review(id, verdict, options))
}

async function listRequests(options: Common & { state?: string; before?: string }): Promise<void> {
  const { state, before } = options
  const asked = new URLSearchParams({ ...(state && { state }), ...(before && { before }) })
  const query = asked.size > 0 ? `?${asked}` : ''
  const { requests, next } = await gateFor(options).get<{
    requests: ShownRequest[]
    next: string | null
  }>(`/api/requests${query}`)
  if (options.json) {
    print(JSON.stringify({ requests, next }))
    return
  }
  if (requests.length === 0) {
    print('Nothing waits for a second person.')
    return
  }
  const rows = requests.map(({ requestId, state, operation, operator, needs, openedAt }) => [
    requestId,
    state,
    operation,
    operator,
    needs,
    openedAt.slice(0, 16).replace('T', ' '),
  ])
  print(table(['request', 'state', 'operation', 'operator', 'needs', 'opened (UTC)'], rows))
  if (next) note(`there are older ones: --before ${next}`)
}

async function showRequest(id: string, options: Common): Promise<void> {
  const client = gateFor(options)
  const requestId = await resolveRequestId(client, id)
  const found = await client.get<FullRequest>(`/api/requests/${requestId}`)
  if (found.document === null) return showGone(found, options)
  const { full, document, shown } = await checkedRequest(client, requestId)
  if (options.json) {
    print(JSON.stringify({ ...full, document }))
    return
  }
  print(rendered({ full, document, shown }))
  print(
    `\n${withoutHidden(`State ${full.request.state}${full.request.closedBy ? ` by ${full.request.closedBy}` : ''}`)}`,
  )
}

function showGone(full: FullRequest, { json }: Common): void {
  if (json) {
    print(JSON.stringify(full))
    return
  }
  const { requestId, operation, operator, state, openedAt } = full.request
  print(
    `Request ${requestId}: ${escapeUntrusted(operation)}, asked by an agent of ${operator} at ${openedAt}`,
  )
  print(`What its reviewers were shown: ${escapeUntrusted(full.gone ?? '', 1_200)}`)
  print(`\nState ${state}${full.request.closedBy ? ` by ${full.request.closedBy}` : ''}`)
}

async function waitForRequest(id: string, options: Common & { timeout: number }): Promise<void> {
  const client = gateFor(options)
  const untilMs = Date.now() + options.timeout * 1_000
  const status = statusBy(client, options)
  const fullId = status.isAgent ? id : await resolveRequestId(client, id)
  let found = await status.of(fullId, 0)
  if (found.state === 'pending' && !options.json)
    note(`waiting for ${found.needs} on ${fullId} ...`)
  while (found.state === 'pending' && Date.now() < untilMs) {
    const waitMs = Math.max(0, Math.min(WAIT_STEP_MS, untilMs - Date.now()))
    found = await status.of(fullId, waitMs)
  }
  print(
    options.json
      ? JSON.stringify(found)
      : withoutHidden(`${found.requestId}: ${found.state}. ${found.guidance}`),
  )
  process.exitCode = waitExit(found)
}

/** In an agent's shell the session asks of its own request; elsewhere a person does. */
function statusBy(client: GateClient, { sshKey }: Common) {
  const keys = sshKey === undefined ? sessionKeys(process.env) : null
  return {
    isAgent: keys !== null,
    of: (id: string, waitMs: number): Promise<ShownRequest> =>
      keys
        ? statusForSession(client.base, keys, id, waitMs)
        : client.get(`/api/requests/${id}/status?waitMs=${waitMs}`),
  }
}

function waitExit({ state }: ShownRequest): ExitCode {
  if (state === 'approved') return EXIT.done
  if (state === 'pending') return EXIT.needsReview
  return state === 'denied' || state === 'changes_requested' ? EXIT.denied : EXIT.failed
}

async function review(id: string, verdict: Verdict, options: ReviewOptions): Promise<void> {
  if (verdict === 'request_changes' && !options.comment) {
    throw new CommandFailure(
      'usage',
      'say what should change: --comment "..."',
      'the agent gets your words as the reason',
      EXIT.usage,
    )
  }
  const client = gateFor(options)
  const signer = await signerFor(client, options.sshKey)
  const requestId = await resolveRequestId(client, id)
  const checked = await checkedRequest(client, requestId)
  const { full, document, shown } = checked
  if (!options.json) note(`${rendered({ full, document, shown })}\n`)
  if (!options.yes && !options.json && process.stdin.isTTY) await confirm(verdict)
  const answer = { verdict, comment: options.comment ?? '' }
  const after = await signReview(client, signer, checked, answer)
  if (options.json) {
    print(JSON.stringify(after))
    return
  }
  const words: Record<Verdict, string> = {
    approve:
      after.state === 'approved'
        ? 'the same call may now run once'
        : `it needs ${after.needs} in all, and has ${[...approvers(full), signer.person].join(' and ')}`,
    deny: 'nothing will happen',
    request_changes: 'the agent gets your words when it runs the call again',
  }
  print(`Signed as ${signer.person}: ${after.requestId} is ${after.state}; ${words[verdict]}.`)
}

async function confirm(verdict: Verdict): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await lines.question(`Sign "${verdict.replace('_', ' ')}"? Type yes: `)
  lines.close()
  if (answer.trim() !== 'yes')
    throw new CommandFailure('not_signed', 'nothing was signed', '', EXIT.failed)
}

/** The document, and what others asked for since it was opened: that is not what is signed. */
function rendered({ full, document, shown }: CheckedRequest): string {
  const since = againLines(full.request.again, document.session)
  return [
    renderAny(document, shown, approvers(full)),
    ...(since.length > 0 ? ['', 'Since it was opened:', ...since] : []),
  ].join('\n')
}

function approvers({ reviews }: FullRequest): string[] {
  return reviews.filter(({ verdict }) => verdict === 'approve').map(({ reviewer }) => reviewer)
}
