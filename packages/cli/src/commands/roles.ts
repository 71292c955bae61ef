// seconder roles audit AUTHZ.json...: who can take down production without a reviewer, who can make himself
// more, who goes round the gate; and the data that the gate loads as roleReach. Nothing is sent.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTrail } from '@seconder/replay/replay'
import { type Audited, auditOf } from '@seconder/replay/roles/audit'
import { catalogue } from '@seconder/replay/roles/catalogue'
import type { Estate } from '@seconder/replay/roles/estate'
import { SEVERITIES, type Severity } from '@seconder/replay/roles/finding'
import { type GateFacts, NO_GATE } from '@seconder/replay/roles/gate'
import { gateFacts } from '@seconder/replay/roles/gate-config'
import { matcherOf } from '@seconder/replay/roles/matcher'
import { type Organization, readOrganization } from '@seconder/replay/roles/organization'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { pageOf } from '@seconder/replay/roles/report/page'
import { sarifOf } from '@seconder/replay/roles/report/sarif'
import { sizingLines } from '@seconder/replay/roles/report/sizing'
import { terminalLines } from '@seconder/replay/roles/report/terminal'
import { sizeRole } from '@seconder/replay/roles/size-role'
import { dayOf, type TrailUse, trailUse } from '@seconder/replay/roles/trail-use'
import { type Command, InvalidArgumentError } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { ReplayProgress } from '../render/replay-progress.ts'
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
  readonly html?: string
  readonly failOn?: Severity
  readonly rows: number
  readonly trail: readonly string[]
  readonly rightSize?: string
  readonly as: 'managed' | 'inline'
  readonly out?: string
  readonly without: readonly string[]
  readonly evenSeldom?: boolean
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
  seconder roles audit authz.json --trail trails/ --html roles.html
  seconder roles audit authz.json --right-size agent-deploy --trail trails/ --out sized/
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
    .option('--trail <path>', 'CloudTrail, for what is not used; may be repeated', many, [])
    .option('--right-size <role>', 'instead: the least policy of a role, from its use in --trail')
    .option('--as <kind>', 'with --right-size: managed or inline policies', policyKind, 'managed')
    .option(
      '--without <pattern>',
      'with --right-size: an action to leave out; repeatable',
      many,
      [],
    )
    .option('--out <folder>', 'with --right-size: write each policy as a file')
    .option('--even-seldom', 'with --right-size: also a role for emergencies, by its name or tags')
    .option('--sarif <file>', 'write SARIF 2.1.0')
    .option('--html <file>', 'write one page that needs nothing else')
    .option('--fail-on <severity>', `end with 4 at ${SEVERITIES.join(', ')}`, severity)
    .option('--rows <n>', 'findings and rows shown', whole, 10)
    .option('--json', 'the whole audit as JSON')
    .addHelpText('after', EXAMPLES)
    .action(audit)
}

async function audit(files: readonly string[], options: AuditOptions): Promise<void> {
  if (options.rightSize !== undefined && options.trail.length === 0) {
    throw new CommandFailure(
      'usage',
      '--right-size needs --trail: the least policy is made from recorded use',
      'add --trail trails/',
      EXIT.usage,
    )
  }
  const read = await readInputs(files, options)
  if (options.rightSize !== undefined) return sizeOne(options.rightSize, read, options)
  const audited = examined(read, options)
  if (options.reach !== undefined) writeReach(options.reach, audited)
  if (options.sarif !== undefined) {
    const sarif = sarifOf(audited.audit, files[0] ?? 'authz.json', VERSION)
    write(options.sarif, `${JSON.stringify(sarif, null, 2)}\n`)
  }
  if (options.html !== undefined) write(options.html, pageOf(audited.audit, read.now))
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

interface Inputs {
  readonly estate: Estate
  readonly organization: Organization | null
  readonly gate: GateFacts
  readonly trail: TrailUse | null
  readonly now: string
}

async function readInputs(files: readonly string[], options: AuditOptions): Promise<Inputs> {
  const estate = readEstate(files.map((name) => ({ name, bytes: bytesOf(name) })))
  if (estate.identities.size === 0) {
    const [fault] = estate.faults
    throw new CommandFailure(
      'no_principals',
      `there is no user or role in ${files.join(', ')}${fault ? `: ${fault.what}` : ''}`,
      'give the output of: aws iam get-account-authorization-details',
    )
  }
  const { organization: file } = options
  return {
    estate,
    organization: file === undefined ? null : readOrganization(file, bytesOf(file)),
    gate: factsOf(options),
    trail: options.trail.length === 0 ? null : await trailOf(options.trail),
    now: new Date().toISOString(),
  }
}

async function trailOf(paths: readonly string[]): Promise<TrailUse> {
  const progress = new ReplayProgress()
  const trail = await openTrail(paths, { onProgress: progress.see })
  try {
    progress.end()
    return trailUse(trail.store)
  } finally {
    trail.close()
  }
}

function examined(read: Inputs, options: AuditOptions): Audited {
  const progress = new StepProgress()
  catalogue((done, of) => progress.see('services known', done, of))
  const isAgent = matcherOf(options.agent)
  const { estate, organization, gate, trail, now } = read
  const result = auditOf({
    estate,
    organization,
    gate,
    now,
    ...(trail && { trail }),
    isAgent: (arn, name) => isAgent(arn) || isAgent(name),
    isExcepted: matcherOf(options.except),
    onPrincipal: (done, of) => progress.see('principals examined', done, of),
  })
  progress.end()
  return result
}

function sizeOne(role: string, { trail, ...read }: Inputs, options: AuditOptions): void {
  if (trail === null) return
  const { as, evenSeldom = false } = options
  const without = matcherOf(options.without)
  const sizing = sizeRole({ ...read, trail, role, as, evenSeldom, without })
  if ('refused' in sizing) {
    throw new CommandFailure(sizing.refused, `\`${role}\`: ${sizing.why}`, HELP[sizing.refused])
  }
  const { sized } = sizing
  const documents = [...sized.policies, sized.boundary, sized.scp]
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true })
    for (const { name, document } of documents) {
      write(join(options.out, `${name}.json`), `${JSON.stringify(document, null, 2)}\n`)
    }
  }
  if (options.json) {
    const { use, ...rest } = sizing
    const lastUse = Object.fromEntries(
      [...use.lastByAction.values()].map(({ action, last }) => [action, dayOf(last)]),
    )
    print(JSON.stringify({ ...rest, events: use.events, refused: use.refused, lastUse }))
  } else {
    for (const line of sizingLines(sizing, { toned })) print(line)
    if (options.out === undefined) {
      for (const { name, document } of documents) {
        print(`\n${name}.json\n${JSON.stringify(document, null, 2)}`)
      }
    } else note(`${documents.length} documents are in ${options.out}; nothing was applied.`)
  }
  if (sized.failing.length > 0) process.exitCode = EXIT.failed
}

const HELP = {
  no_such_role: 'name a role of the export by its ARN',
  not_in_trail: 'give a trail that has it, or put the role away',
  seldom: 'look at it by hand; --even-seldom trims it all the same',
  too_large: 'split the role: nobody can read what it needs',
} as const

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

function policyKind(text: string): 'managed' | 'inline' {
  if (text !== 'managed' && text !== 'inline') throw new InvalidArgumentError('managed or inline')
  return text
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
