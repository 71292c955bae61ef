// seconder roles audit AUTHZ.json...: who can take down production without a reviewer, who can make himself
// more, who goes round the gate; and the data that the gate loads as roleReach. Nothing is sent.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Audited, auditOf } from '@seconder/replay/roles/audit'
import { catalogue } from '@seconder/replay/roles/catalogue'
import { SEVERITIES, type Severity } from '@seconder/replay/roles/finding'
import { type GateFacts, NO_GATE } from '@seconder/replay/roles/gate'
import { gateFacts } from '@seconder/replay/roles/gate-config'
import { matcherOf } from '@seconder/replay/roles/matcher'
import { readOrganization } from '@seconder/replay/roles/organization'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { sarifOf } from '@seconder/replay/roles/report/sarif'
import { terminalLines } from '@seconder/replay/roles/report/terminal'
import { type Command, InvalidArgumentError } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { StepProgress } from '../render/step-progress.ts'
import { note, print, toned } from '../render/terminal.ts'
import { VERSION } from '../version.ts'

interface AuditOptions {
  readonly config?: string
  readonly organization?: string
  readonly gate?: string
  readonly agent: readonly string[]
  readonly except: readonly string[]
  readonly reach?: string
  readonly json?: boolean
  readonly sarif?: string
  readonly failOn?: Severity
  readonly rows: number
}

const DEFAULT_CONFIG = 'seconder.yaml'

const EXAMPLES = `
AUTHZ.json is the output of "aws iam get-account-authorization-details", whole; of several accounts as
several files. What an organizations export looks like, and all rules, is in docs/roles.md.
Exit codes: 0 done, 1 failed, 2 usage, and with --fail-on 4 where a finding is that grave or graver.

Examples:
  aws iam get-account-authorization-details > authz.json
  seconder roles audit authz.json
  seconder roles audit prod.json dev.json --config seconder.yaml --gate arn:aws:iam::123456789012:role/gate
  seconder roles audit authz.json --organization org.json --agent 'agent-*' --fail-on high
  seconder roles audit authz.json --config seconder.yaml --reach role-reach.json
`

export function addRolesCommands(program: Command): void {
  program
    .command('roles')
    .description('who can take down production without a reviewer')
    .command('audit <authz...>')
    .description(
      'audit users and roles: what they destroy, whom they become, who goes round the gate',
    )
    .option('--config <file>', `seconder.yaml; ${DEFAULT_CONFIG} where there is one`)
    .option('--organization <file>', 'SCPs and RCPs, as docs/roles.md says')
    .option('--gate <arn>', "the gate's own role or user")
    .option('--agent <pattern>', 'an agent, by ARN or name with *; may be repeated', many, [])
    .option('--except <pattern>', 'meant to go on without the gate; may be repeated', many, [])
    .option(
      '--reach <file>',
      'write which environments each role reaches: the roleReach of the gate',
    )
    .option('--sarif <file>', 'write SARIF 2.1.0')
    .option('--fail-on <severity>', `end with 4 at ${SEVERITIES.join(', ')}`, severity)
    .option('--rows <n>', 'findings and rows shown', whole, 10)
    .option('--json', 'the whole audit as JSON')
    .addHelpText('after', EXAMPLES)
    .action(audit)
}

async function audit(files: readonly string[], options: AuditOptions): Promise<void> {
  const audited = examined(files, options)
  if (options.reach !== undefined) writeReach(options.reach, audited)
  if (options.sarif !== undefined) {
    const sarif = sarifOf(audited.audit, files[0] ?? 'authz.json', VERSION)
    write(options.sarif, `${JSON.stringify(sarif, null, 2)}\n`)
  }
  if (options.json) print(JSON.stringify(audited.audit))
  else {
    const width = Math.min(process.stdout.columns ?? 110, 140)
    for (const line of terminalLines(audited.audit, { toned, rows: options.rows, width })) {
      print(line)
    }
  }
  if (options.failOn !== undefined && isReached(audited, options.failOn)) {
    process.exitCode = EXIT.denied
  }
}

function examined(files: readonly string[], options: AuditOptions): Audited {
  const progress = new StepProgress()
  const estate = readEstate(files.map((name) => ({ name, bytes: bytesOf(name) })))
  if (estate.identities.size === 0) {
    const [fault] = estate.faults
    throw new CommandFailure(
      'no_principals',
      `there is no user or role in ${files.join(', ')}${fault ? `: ${fault.what}` : ''}`,
      'give the output of: aws iam get-account-authorization-details',
    )
  }
  const organization =
    options.organization === undefined
      ? null
      : readOrganization(options.organization, bytesOf(options.organization))
  catalogue((done, of) => progress.see('services known', done, of))
  const isAgent = matcherOf(options.agent)
  const isExcepted = matcherOf(options.except)
  const result = auditOf({
    estate,
    organization,
    gate: factsOf(options),
    isAgent: (arn, name) => isAgent(arn) || isAgent(name),
    isExcepted,
    now: new Date().toISOString(),
    onPrincipal: (done, of) => progress.see('principals examined', done, of),
  })
  progress.end()
  return result
}

function factsOf({ config, gate }: AuditOptions): GateFacts {
  const own = gate ?? null
  if (own !== null && !/^arn:[a-z-]+:iam::\d{12}:(role|user)\/.+$/.test(own)) {
    throw new CommandFailure(
      'usage',
      '--gate is not the ARN of a role or user',
      'write arn:aws:iam::123456789012:role/NAME',
      EXIT.usage,
    )
  }
  if (config !== undefined) return gateFacts(config, own)
  if (existsSync(DEFAULT_CONFIG)) return gateFacts(DEFAULT_CONFIG, own)
  return { ...NO_GATE, own }
}

function writeReach(file: string, { reach }: Audited): void {
  if (reach === null) {
    throw new CommandFailure(
      'export_not_whole',
      'the export is not whole, so nobody can say what its roles reach; nothing was written',
      'export the accounts again, whole, and look at the faults with --json',
    )
  }
  write(file, `${JSON.stringify(reach, null, 2)}\n`)
  note(
    `${file}: what ${Object.keys(reach.roles).length} roles reach; name it as roleReach in seconder.yaml and activate the epoch.`,
  )
}

function isReached({ audit: { findings } }: Audited, failOn: Severity): boolean {
  const limit = SEVERITIES.indexOf(failOn)
  return findings.some(({ severity: each }) => SEVERITIES.indexOf(each) <= limit)
}

function bytesOf(name: string): Uint8Array {
  try {
    return readFileSync(name)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error'
    throw new CommandFailure('unreadable', `cannot read \`${name}\`: ${code}`, 'check the path')
  }
}

function write(name: string, text: string): void {
  try {
    writeFileSync(name, text)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error'
    throw new CommandFailure('unwritable', `cannot write \`${name}\`: ${code}`, 'check the path')
  }
}

function many(text: string, before: readonly string[]): string[] {
  return [...before, text]
}

function severity(text: string): Severity {
  const found = SEVERITIES.find((each) => each === text)
  if (found === undefined) throw new InvalidArgumentError(`one of ${SEVERITIES.join(', ')}`)
  return found
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 100_000) {
    throw new InvalidArgumentError('write a whole number from 1 to 100,000')
  }
  return value
}
