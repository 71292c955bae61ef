// seconder policy dry-run: what the policies on disk would have answered to the calls of last week, before anybody
// signs them. By the gate, from its own ledger; or here, from a ledger's folder.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { configWithoutCredentials } from '@seconder/gateway/config-without-credentials'
import { hashedDryRun } from '@seconder/gateway/dry-run/checked'
import type { KeptDryRun } from '@seconder/gateway/dry-run/desk'
import { DryRun, type DryRunResult, dryRunText } from '@seconder/gateway/dry-run/dry-run'
import { recordedCalls, shownDocument } from '@seconder/gateway/dry-run/recorded-call'
import {
  contentOnDisk,
  type EpochContent,
  readPolicies,
  versioned,
} from '@seconder/gateway/epoch/content'
import type { Entry } from '@seconder/gateway/record/entry'
import type { AnyDocument } from '@seconder/gateway/review/plan-document'
import { payloadPath } from '@seconder/ledger/layout'
import type { Command } from 'commander'
import { VerifiedLedger } from '../export/verified-ledger.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { GateClient } from '../gate-client.ts'
import { dryRunLines } from '../render/dry-run-lines.ts'
import { StepProgress } from '../render/step-progress.ts'
import { print } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'
import { timeOption } from '../time-option.ts'

interface DryRunCommand {
  readonly ledger?: string
  readonly key?: string
  readonly policy?: string
  readonly since?: string
  readonly until?: string
  readonly sshKey?: string
  readonly gate?: string
  readonly json?: boolean
}

const EXAMPLES = `
Without --ledger the gate makes it, of the files on its own disk and the last seven days; \`policy activate\` prints the
same before it signs, and the signature names it; with --json it prints and names none. It changes nothing, and asks nothing of AWS.
With --ledger it is made here: the ledger is verified first, and --policy is a folder of policies, or a seconder.yaml.

What destroys comes first; of that, what would newly pass. A call whose answer of then cannot be worked out again is
counted and named, never guessed. Exit codes: 0 done, 1 failed, 2 usage.

Examples:
  seconder policy dry-run --ssh-key ~/.ssh/id_ed25519
  seconder policy dry-run --ledger .seconder/ledger --policy policies/
  seconder policy dry-run --ledger .seconder/ledger --policy seconder.yaml --since 30d --json
`

export function addDryRunCommand(policy: Command): void {
  policy
    .command('dry-run')
    .description("what the policies on disk would have answered to last week's calls")
    .option('--ledger <dir>', "a ledger's folder; default: the gate does it")
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--policy <path>', 'with --ledger: a folder of policies, or a seconder.yaml')
    .option(
      '--since <time>',
      'with --ledger: a date, a time, or how long ago (default: 7d)',
      timeOption,
    )
    .option('--until <time>', 'with --ledger: the same', timeOption)
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

async function run(options: DryRunCommand): Promise<void> {
  const made =
    options.ledger === undefined ? await byGate(options) : await here(options.ledger, options)
  if (made === null)
    return print('The files are those of the epoch in force; there is nothing to try.')
  const { result, digest } = made
  if (options.json) return print(JSON.stringify({ digest, ...result }))
  for (const line of dryRunLines(result, digest)) print(line)
}

interface Made {
  readonly result: DryRunResult
  readonly digest: string
}

async function byGate(options: DryRunCommand): Promise<Made | null> {
  const client = new GateClient(options.gate)
  await signerFor(client, options.sshKey)
  return readDryRun(client)
}

/** As the gate made it, hashed again here; null where the files are those of the epoch in force. */
export async function readDryRun(
  client: GateClient,
  check: (kept: KeptDryRun) => DryRunResult = hashedDryRun,
): Promise<Made | null> {
  const made = await client.get<KeptDryRun | null>('/api/epochs/candidate/dry-run')
  if (made === null) return null
  try {
    return { result: check(made), digest: made.digest }
  } catch (cause) {
    throw new CommandFailure(
      'document_mismatch',
      (cause as Error).message,
      'if it stays so, tell whoever runs the gate',
    )
  }
}

async function here(folder: string, options: DryRunCommand): Promise<Made> {
  const { policy, key, since = timeOption('7d'), until = new Date().toISOString() } = options
  if (policy === undefined) {
    throw new CommandFailure(
      'bad_option',
      '--ledger needs --policy: what is tried',
      'name a folder, or a seconder.yaml',
      EXIT.usage,
    )
  }
  const progress = new StepProgress()
  let newest: Extract<Entry, { type: 'epoch-activated' }> | null = null
  const ledger = await VerifiedLedger.open(folder, {
    key,
    onProgress: (done, of) => progress.see('entries verified', done, of),
    onEntry: (text) => {
      if (text.includes('"epoch-activated"')) newest = epochOf(text) ?? newest
    },
  }).finally(() => progress.end())
  const active = activeOf(folder, newest)
  const candidate = candidateOf(policy, active.content)
  const run = await DryRun.of({
    from: active.number,
    version: candidate.version,
    active: active.content,
    candidate: candidate.content,
  })
  let first: number | null = null
  let last: number | null = null
  for await (const { index, text } of ledger.entries()) {
    progress.see('entries tried', index, ledger.size)
    const entry = JSON.parse(text) as Entry
    if (entry.at < since || entry.at > until) continue
    first ??= index
    last = index
    const { calls, passed } = recordedCalls(entry, (sha256) => documentIn(folder, sha256))
    if (passed !== null) run.pass(passed)
    for (const call of calls) run.take(call, index, entry.at)
  }
  progress.end()
  const result = run.result({ since, until, first, last, cutBy: null })
  return { result, digest: dryRunText(result).digest }
}

function epochOf(text: string) {
  const entry = JSON.parse(text) as Entry
  return entry.type === 'epoch-activated' ? entry : null
}

function activeOf(folder: string, newest: Extract<Entry, { type: 'epoch-activated' }> | null) {
  const text = newest === null ? null : payloadIn(folder, newest.content)
  if (newest !== null && text !== null) {
    return { number: newest.epoch, content: JSON.parse(text) as EpochContent }
  }
  const help = 'the content of each epoch lies beside the ledger; see `seconder ledger verify`'
  throw new CommandFailure('no_epoch', 'the ledger does not tell what is in force', help)
}

/** The epoch in force with other policies; or all that a configuration says, but for what only the gate knows. */
function candidateOf(path: string, active: EpochContent) {
  if (!existsSync(path)) {
    throw new CommandFailure(
      'no_policy',
      `there is nothing at \`${path}\``,
      'name a folder, or a seconder.yaml',
      EXIT.usage,
    )
  }
  if (statSync(path).isDirectory()) return versioned({ ...active, ...readPolicies(path) })
  const config = configWithoutCredentials(path, process.env)
  return versioned({
    ...active,
    ...contentOnDisk(config, null).content,
    ...(active.protect && { protect: active.protect }),
  })
}

function payloadIn(folder: string, sha256: string): string | null {
  const path = join(folder, payloadPath(sha256))
  return /^[0-9a-f]{64}$/.test(sha256) && existsSync(path) ? readFileSync(path, 'utf8') : null
}

function documentIn(folder: string, sha256: string): AnyDocument | null {
  const text = payloadIn(folder, sha256)
  return text === null ? null : shownDocument(text)
}
