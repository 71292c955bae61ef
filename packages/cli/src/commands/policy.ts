// seconder policy validate|test|explain|dry-run|activate: policies as files, cases as data, and the signed
// act that makes a set the one in force. Files alone change nothing at a running gate.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DecideContext } from '@seconder/gateway/decide/decision'
import { loadPolicySet, type PolicySet } from '@seconder/gateway/decide/policy-set'
import {
  type CaseResult,
  explain,
  parseCases,
  runCases,
} from '@seconder/gateway/decide/policy-test'
import { describe } from '@seconder/gateway/describe/describe'
import { checkedDryRun } from '@seconder/gateway/dry-run/checked'
import { readPolicies } from '@seconder/gateway/epoch/content'
import type { Difference, EpochCandidate } from '@seconder/gateway/epoch/difference'
import { NO_EVIDENCE } from '@seconder/gateway/resolve/evidence'
import { requirementWords } from '@seconder/gateway/review/words'
import type { Command } from 'commander'
import { readCandidate, signEpoch } from '../activating.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { GateClient } from '../gate-client.ts'
import { claimedScope, parseRawRequest } from '../raw-request.ts'
import { dryRunLines } from '../render/dry-run-lines.ts'
import { differenceLines } from '../render/epoch-difference.ts'
import { print, table, toned } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'
import { addDryRunCommand, readDryRun } from './policy-dry-run.ts'

/** The set shipped with Seconder. */
const SHIPPED = join(import.meta.dirname, '..', '..', '..', '..', 'policies')
/** Shortest beginning of a version that names it. */
const VERSION_CHARS_MIN = 12

export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('the policies that decide')
  policy
    .command('validate [dir]')
    .description('check that a policy folder loads: syntax, schema, ids, monotone in approvals')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder policy validate policies/\n')
    .action(validate)
  policy
    .command('test [dir]')
    .description('run the cases (*.case.json) beside the policies')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder policy test policies/\n')
    .action(test)
  policy
    .command('explain <request>')
    .description('what the policies say about a captured request, and what it would take')
    .option('--policies <dir>', 'policy folder', SHIPPED)
    .option('--account <id>', 'account of the caller', '000000000000')
    .option('--isolation <kind>', 'host, user, sandbox or none', 'user')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  seconder policy explain request.http --account 123456789012\n',
    )
    .action(explainRequest)
  policy
    .command('diff')
    .description("what the files now on the gate's disk would change, line by line")
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder policy diff --ssh-key ~/.ssh/id_ed25519\n')
    .action(difference)
  addDryRunCommand(policy)
  policy
    .command('activate')
    .description("sign the files now on the gate's disk as the next epoch; two people must")
    .option('--exactly <version>', 'sign nothing but this version, as `policy diff` names it')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder policy activate --ssh-key ~/.ssh/id_ed25519\n')
    .action(activate)
}

function load(directory: string): Promise<PolicySet> {
  return loadPolicySet(readPolicies(directory))
}

async function validate(directory: string | undefined, options: { json?: boolean }): Promise<void> {
  const set = await load(directory ?? SHIPPED)
  const facts = {
    policies: [...set.policies.keys()],
    version: set.version,
    seatCounts: set.seatCounts,
  }
  if (options.json) {
    print(JSON.stringify(facts))
    return
  }
  print(
    `${facts.policies.length} policies load; every one is monotone in approvals. Version ${set.version.slice(0, 12)}`,
  )
}

async function test(directory: string | undefined, options: { json?: boolean }): Promise<void> {
  const folder = directory ?? SHIPPED
  const set = await load(folder)
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.case.json'))
    .sort()
  const results = files.flatMap((file) =>
    runCases(set, parseCases(file, readFileSync(join(folder, file), 'utf8'))),
  )
  const failed = results.filter(({ passed }) => !passed)
  if (options.json)
    print(
      JSON.stringify({ passed: results.length - failed.length, failed: failed.length, results }),
    )
  else {
    for (const result of results) print(caseLine(result))
    print(`${results.length - failed.length} passed, ${failed.length} failed`)
  }
  if (failed.length > 0) process.exitCode = EXIT.failed
}

function caseLine({ passed, file, name, differences }: CaseResult): string {
  const mark = passed ? toned('green', 'ok  ') : toned('red', 'FAIL')
  return [`${mark} ${file}: ${name}`, ...differences.map((words) => `       ${words}`)].join('\n')
}

interface ExplainOptions {
  readonly policies: string
  readonly account: string
  readonly isolation: string
  readonly json?: boolean
}

async function explainRequest(file: string, options: ExplainOptions): Promise<void> {
  const set = await load(options.policies)
  const request = parseRawRequest(readFileSync(file))
  const { action } = describe(request, {
    scope: claimedScope(request),
    account: options.account,
    environments: [],
    roleReach: {},
    maskKey: randomBytes(32).toString('hex'),
  })
  const context: DecideContext = {
    agent: 'agent',
    operator: 'operator',
    role: 'role',
    isolation: options.isolation as DecideContext['isolation'],
    breakGlass: false,
  }
  const explanation = explain(action, NO_EVIDENCE, context, set)
  if (options.json) {
    print(JSON.stringify(explanation))
    return
  }
  const { decision, parts } = explanation
  const takes =
    decision.answer === 'review' ? `: it takes ${requirementWords(decision.requirement)}` : ''
  print(`${action.operation}: ${decision.answer}${takes}`)
  print(
    table(
      ['effect', 'resource', 'environment', 'answer', 'policies'],
      parts.map((part) => [
        part.effect,
        part.resource,
        part.environment,
        part.decision.answer,
        part.decision.policies.join(', '),
      ]),
    ),
  )
}

interface ActivateOptions {
  readonly sshKey?: string
  readonly gate?: string
  readonly exactly?: string
  readonly json?: boolean
}

async function difference(options: ActivateOptions): Promise<void> {
  const client = new GateClient(options.gate)
  await signerFor(client, options.sshKey)
  const { candidate, differences } = await readCandidate(client)
  const { from, version, signers } = candidate
  if (options.json) return print(JSON.stringify({ from, version, signers, differences }))
  if (differences.length === 0) return print(nothingDiffers(from))
  for (const line of differenceLines(differences)) print(line)
  const signed = signers.length === 0 ? '' : ` Signed by ${signers.join(', ')}.`
  print(`Epoch ${from} is in force; the files are version ${version.slice(0, 16)}.${signed}`)
  print(`To sign exactly this: seconder policy activate --exactly ${version.slice(0, 16)}`)
}

function nothingDiffers(epoch: number): string {
  return `The files are those of epoch ${epoch}; there is nothing to activate.`
}

async function activate(options: ActivateOptions): Promise<void> {
  const client = new GateClient(options.gate)
  const signer = await signerFor(client, options.sshKey)
  const { candidate, differences } = await readCandidate(client)
  const { from, version } = candidate
  if (differences.length === 0) {
    if (!options.json) return print(nothingDiffers(from))
    return print(JSON.stringify({ activated: false, reason: 'nothing changed' }))
  }
  const { exactly = version } = options
  if (exactly.length < VERSION_CHARS_MIN || !version.startsWith(exactly)) {
    throw new CommandFailure(
      'document_mismatch',
      `the files on the gate's disk are version ${version.slice(0, 16)}, which is not the one named; nothing was signed`,
      'look at what they would change: seconder policy diff',
    )
  }
  // A signature names the dry run that its signer was shown, and nobody is shown one in JSON.
  const dryRun = options.json ? null : await shownDryRun(client, candidate, differences)
  const result = await signEpoch(client, signer, candidate, dryRun?.digest)
  if (options.json) return print(JSON.stringify(result))
  print(
    result.activated
      ? `Epoch ${from + 1} is in force, signed by ${result.signers.join(' and ')}. Open requests were voided.`
      : `Signed by ${result.signers.join(', ')}; ${result.missing} more must sign the same version.`,
  )
}

/** Prints what will be signed and what it would have answered; throws where that is of another version. */
async function shownDryRun(
  client: GateClient,
  candidate: EpochCandidate,
  differences: readonly Difference[],
) {
  for (const line of differenceLines(differences)) print(line)
  const dryRun = await readDryRun(client, (kept) => checkedDryRun(kept, candidate))
  if (dryRun === null) return null
  for (const line of dryRunLines(dryRun.result, dryRun.digest)) print(line)
  return dryRun
}
