// seconder incident report: from a ledger or a trail to what happened, who or what let it, and what would have
// stopped it. Nothing is sent anywhere; nothing is changed.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PolicySources } from '@seconder/gateway/decide/policy-set'
import { readPolicies } from '@seconder/gateway/epoch/content'
import { incidentOfTrail } from '@seconder/replay/incident/from-trail'
import { incidentHtml } from '@seconder/replay/incident/html'
import type { Incident, Proposal } from '@seconder/replay/incident/incident'
import { incidentJson } from '@seconder/replay/incident/json'
import type { Selection } from '@seconder/replay/incident/ledger-record'
import { incidentMarkdown } from '@seconder/replay/incident/markdown'
import { IamExport } from '@seconder/replay/incident/role-excess'
import { loadRules, SHIPPED } from '@seconder/replay/judge/load-rules'
import type { Rules } from '@seconder/replay/judge/rules'
import { readEstate } from '@seconder/replay/roles/read-estate'
import { trailWindow } from '@seconder/replay/trail/window'
import { type Command, Option } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { incidentOfFolder } from '../incident-of-folder.ts'
import { note, print } from '../render/terminal.ts'
import { timeOption } from '../time-option.ts'

const FORMATS = ['md', 'html', 'json'] as const

interface ReportOptions {
  readonly ledger?: string
  readonly trail?: readonly string[]
  readonly key?: string
  readonly since?: string
  readonly until?: string
  readonly resource?: string
  readonly session?: string
  readonly policy?: readonly string[]
  readonly impact?: string
  readonly iam?: readonly string[]
  readonly gate?: string
  readonly format: (typeof FORMATS)[number]
  readonly html?: string
  readonly markdown?: string | true
  readonly json?: string | true
  readonly propose?: string
}

const EXAMPLES = `
From a ledger, from CloudTrail alone, or from a ledger held against CloudTrail; nothing is sent anywhere. The ledger is verified first;
one that does not verify is still reported on, marked as such, and the command ends with 1.
Exit codes: 0 done, 1 failed or the ledger does not verify, 2 usage.

Examples:
  seconder incident report --ledger .seconder/ledger --since 24h
  seconder incident report --ledger .seconder/ledger --since 2025-12-14T09:00:00Z --until 2025-12-14T12:00:00Z --html incident.html
  seconder incident report --ledger .seconder/ledger --resource cost-explorer --policy policies/ --propose proposed/
  seconder incident report --ledger .seconder/ledger --since 24h --iam authorization-details.json
  seconder incident report --ledger .seconder/ledger --trail trails/ --since 24h
  seconder incident report --trail trails/ --since 2025-12-14 --session agent-deploy --html incident.html --markdown incident.md
`

export function addIncidentCommands(program: Command): void {
  const incident = program
    .command('incident')
    .description('who or what is responsible, from the record')
  incident
    .command('report')
    .description('what happened in a window, what let it happen, and what would have stopped it')
    .option('--ledger <dir>', "the ledger's folder (default without --trail: .seconder/ledger)")
    .option(
      '--trail <path...>',
      'files and folders of CloudTrail: with --ledger to hold it against them, alone to report on them',
    )
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--since <time>', 'a date, a time, or how long ago: 2025-12-14, 24h, 7d', timeOption)
    .option('--until <time>', 'the same; default: the end of the record', timeOption)
    .option('--resource <text>', 'only calls with this in a resource or an operation')
    .option('--session <id>', 'only this session, or sessions that begin so')
    .option('--policy <path...>', 'policies to try beside those in force: folder or seconder.yaml')
    .option('--iam <file...>', 'with a ledger: `aws iam get-account-authorization-details`')
    .option(
      '--gate <arn>',
      "with both: a part of the gate's own principal, where it calls under its own rights",
    )
    .option('--impact <text>', 'what people saw of it; shown as a claim, for no record has it')
    .addOption(new Option('--format <form>', 'what is printed').choices([...FORMATS]).default('md'))
    .option('--html <file>', 'write it as one HTML file')
    .option('--markdown [file]', 'as Markdown: printed, or written where a file is named')
    .option('--json [file]', 'as JSON: printed, or written where a file is named')
    .option('--propose <dir>', 'write the proposed policy and its cases into this folder')
    .addHelpText('after', EXAMPLES)
    .action(report)
}

async function report(options: ReportOptions): Promise<void> {
  const selection: Selection = {
    since: options.since ?? '',
    until: options.until ?? '',
    resource: options.resource ?? '',
    session: options.session ?? '',
  }
  const isOfTrail = options.trail !== undefined && options.ledger === undefined
  if (isOfTrail && options.iam !== undefined) {
    const help = 'seconder roles audit EXPORT --trail TRAIL tells it from a trail'
    throw new CommandFailure('bad_option', '--iam is for a ledger', help, EXIT.usage)
  }
  const incident =
    isOfTrail && options.trail
      ? await trailIncident(options.trail, options, selection)
      : await ledgerIncident(options, selection)
  written(incident, options)
  if (incident.source.verified === false) {
    note('The ledger does not verify: see `seconder ledger verify`.')
    process.exitCode = EXIT.failed
  }
}

async function ledgerIncident(options: ReportOptions, selection: Selection): Promise<Incident> {
  const folder = options.ledger ?? join('.seconder', 'ledger')
  const candidates = await rulesOf(options)
  const { key, impact = null } = options
  const iam = iamOf(options)
  const trail = options.trail === undefined ? null : await trailWindow(options.trail, selection)
  for (const { path, fault } of trail?.faults ?? [])
    note(`${path}: ${fault}; what was whole in it was read`)
  if ((trail?.dropped ?? 0) > 0) note('Not all was compared: ask for a shorter window.')
  const beside = { trail, gatePrincipal: options.gate ?? '' }
  return incidentOfFolder(folder, { key, selection, candidates, impact, iam, ...beside })
}

function iamOf({ iam }: ReportOptions): IamExport | null {
  if (iam === undefined) return null
  const estate = readEstate(iam.map((name) => ({ name, bytes: bytesOf(name) })))
  if (estate.identities.size > 0)
    return new IamExport(estate, iam.join(', '), new Date().toISOString())
  throw new CommandFailure(
    'no_principals',
    `there is no user or role in ${iam.join(', ')}`,
    'give the output of: aws iam get-account-authorization-details',
  )
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch {
    throw new CommandFailure('bad_option', `cannot read ${file}`, 'name a file', EXIT.usage)
  }
}

async function trailIncident(
  paths: readonly string[],
  options: ReportOptions,
  selection: Selection,
): Promise<Incident> {
  return incidentOfTrail({
    window: await trailWindow(paths, selection),
    selection,
    candidates: await rulesOf(options),
    base: baseOf(options),
    impact: options.impact ?? null,
  })
}

/** The texts of the first policies, where they are a folder: a proposal is loaded beside them. */
function baseOf({ policy }: ReportOptions): PolicySources | null {
  const [first = SHIPPED] = policy ?? []
  return statSync(first).isDirectory() ? readPolicies(first) : null
}

async function rulesOf({ policy }: ReportOptions): Promise<Rules[]> {
  const rules: Rules[] = []
  for (const path of policy ?? [SHIPPED]) rules.push(await loadRules(path))
  return rules
}

function written(incident: Incident, options: ReportOptions): void {
  const { html, markdown, json, propose } = options
  if (propose !== undefined) writeProposal(incident.proposal, propose)
  let isDone = false
  for (const [file, made] of [
    [html, incidentHtml],
    [markdown, incidentMarkdown],
    [json, incidentJson],
  ] as const) {
    if (file === undefined) continue
    isDone = true
    if (file === true) print(made(incident))
    else writeTo(file, made(incident))
  }
  if (!isDone) print(FORMS[options.format](incident))
}

const FORMS = { md: incidentMarkdown, html: incidentHtml, json: incidentJson } as const

function writeTo(file: string, text: string): void {
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`)
  note(`wrote ${file}`)
}

function writeProposal(proposal: Proposal | null, folder: string): void {
  if (proposal === null) {
    note('No policy change is proposed: see the report.')
    return
  }
  mkdirSync(folder, { recursive: true })
  const { name, policy, cases } = proposal
  const files: [string, string][] = [[`${name}.case.json`, cases]]
  if (policy !== null) files.unshift([`${name}.cedar`, policy])
  for (const [file, text] of files) {
    const path = join(folder, file)
    writeFileSync(path, text)
    note(`wrote ${path}`)
  }
  note('To have it decided: copy them into the policies of the gate, then')
  note(
    'seconder policy test · seconder policy dry-run · seconder policy activate (two people sign)',
  )
}
