// seconder replay TRAIL...: what the policies would have answered to months of CloudTrail, how many reviews
// a week that is, and where December would have been asked. Nothing is sent; only s3:// addresses call out.
import { writeFileSync } from 'node:fs'
import { ENGINES, type Engine, groupSql } from '@seconder/replay/groups/sql'
import { loadRules, SHIPPED } from '@seconder/replay/judge/load-rules'
import type { Rules } from '@seconder/replay/judge/rules'
import { type OpenTrail, openGroups, openTrail, reportOn } from '@seconder/replay/replay'
import { htmlReport } from '@seconder/replay/report/html'
import type { Report } from '@seconder/replay/report/report'
import { terminalLines } from '@seconder/replay/report/terminal'
import { readIamExport } from '@seconder/replay/self-check/iam-export'
import { selfCheck, selfCheckLines } from '@seconder/replay/self-check/self-check'
import { cacheFolder } from '@seconder/replay/store/cache'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CommandFailure, EXIT, report as reportFailure } from '../failure.ts'
import { ReplayProgress } from '../render/replay-progress.ts'
import { note, print, toned } from '../render/terminal.ts'
import { exitCodeOf, type FailOn, failOn } from './replay-fail-on.ts'
import { changesOf } from './replay-watch.ts'

interface ReplayOptions {
  readonly policy?: string
  readonly against?: string
  readonly since?: number
  readonly principal?: string
  readonly failOn?: readonly FailOn[]
  readonly isolation: Rules['isolation']
  readonly rows: number
  readonly workers?: number
  readonly cache?: string | boolean
  readonly json?: boolean
  readonly html?: string
  readonly watch?: boolean
  readonly selfCheck?: string
  readonly engine?: Engine
  readonly table: string
  readonly groups?: string
}

const EXAMPLES = `
A trail is files and folders of CloudTrail: .json, .json.gz, one event a line, or s3://BUCKET/PREFIX.
Exit codes: 0 done, 1 failed, 2 usage, and with --fail-on 3 (would be asked) or 4 (would be denied).

Examples:
  seconder replay trails/                                     the shipped policies, everything production
  seconder replay trails/ --policy seconder.yaml --html report.html
  seconder replay trails/ --policy new/ --against policies/   what a change of policy changes
  seconder replay trails/ --policy new/ --watch               again whenever a policy file is saved
  seconder replay trails/ --since 90d --principal '*role/agent-*' --fail-on denied,reviews-per-week:20
  seconder replay trails/ --self-check authz.json             aws iam get-account-authorization-details
  seconder replay s3://my-trail-bucket/AWSLogs/123456789012/CloudTrail/
  seconder replay --engine athena --table cloudtrail_logs     the SQL; then: replay --groups result.csv
`

export function addReplayCommand(program: Command): void {
  program
    .command('replay [trail...]')
    .description('run a recorded past (CloudTrail) through policies: allowed, reviewed, denied')
    .option('--policy <path>', 'folder of policies, or a seconder.yaml (default: those shipped)')
    .option('--against <path>', 'other policies: also say what changes from these to --policy')
    .option('--since <time>', 'a date, a time, or how long ago: 2025-12-01, 90d, 12w', since)
    .option('--principal <name>', "a part of the role's or user's ARN, or a pattern with *")
    .option(
      '--fail-on <what>',
      'end with 3, 4 or 1 where any of these is: denied, reviewed, recreated, unmapped, faults, changed, reviews-per-week:N',
      failOn,
    )
    .addOption(
      new Option('--isolation <kind>', 'where agents would run')
        .choices(['host', 'user', 'sandbox', 'none'])
        .default('user'),
    )
    .option('--rows <n>', 'rows of each table', whole, 10)
    .option('--workers <n>', 'workers that read (default: one a core)', whole)
    .option('--cache <dir>', 'where what was read of a trail is kept for the next policy')
    .option('--no-cache', 'keep nothing, and use nothing kept')
    .option('--watch', 'report again whenever a file of the policies changes')
    .option('--self-check <file>', "hold the account's IAM export against what AWS answered")
    .addOption(new Option('--engine <name>', 'print the SQL that groups a trail').choices(ENGINES))
    .option('--table <name>', 'the table of the trail, for --engine', 'cloudtrail_logs')
    .option('--groups <file>', 'instead of a trail: the result of that SQL, CSV or JSON lines')
    .option('--json', 'the whole report as JSON')
    .option('--html <file>', 'also write the report as one HTML file')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

async function run(paths: readonly string[], options: ReplayOptions): Promise<void> {
  const { engine, table, groups } = options
  if (engine !== undefined) {
    print(groupSql({ engine, table, ...selected(options) }))
    return
  }
  if ((paths.length === 0) === (groups === undefined)) {
    const help = 'try: seconder replay samples/trail; see seconder replay --help'
    throw new CommandFailure(
      'bad_option',
      'name a trail, or --groups and no trail',
      help,
      EXIT.usage,
    )
  }
  const load = () => loadRules(options.policy ?? SHIPPED, options.isolation)
  const loading = Promise.all([
    load(),
    options.against === undefined ? undefined : loadRules(options.against, options.isolation),
  ])
  // A worker reads the policies while a cached trail is read here.
  const opening = groups === undefined ? opened(paths, options, loading) : openGroups(groups)
  const [[rules, against], trail] = await Promise.all([loading, opening])
  const current = { rules }
  const changes = options.watch ? changesOf(() => current.rules.watched) : null
  try {
    if (options.selfCheck !== undefined) {
      checked(trail, options.selfCheck, options)
      return
    }
    const report = reportOn(trail, { rules, ...(against && { against }), ...selected(options) })
    show(report, options)
    process.exitCode = exitCodeOf(report, options.failOn ?? [])
    if (changes !== null) await watch(trail, current, changes, load, options)
  } finally {
    trail.close()
  }
}

async function opened(
  paths: readonly string[],
  options: ReplayOptions,
  before: Promise<unknown>,
): Promise<OpenTrail> {
  const progress = new ReplayProgress()
  try {
    return await openTrail(paths, {
      onProgress: progress.see,
      before,
      ...(options.workers !== undefined && { workers: options.workers }),
      ...(options.cache !== false && { cache: cacheAt(options.cache) }),
    })
  } finally {
    progress.end()
  }
}

/** Until the command is ended: each change against what stood before it. */
async function watch(
  trail: OpenTrail,
  current: { rules: Rules },
  changes: AsyncIterable<void>,
  load: () => Promise<Rules>,
  options: ReplayOptions,
): Promise<void> {
  note('watching the policies; end with Ctrl-C')
  for await (const _ of changes) {
    try {
      const rules = await load()
      const report = reportOn(trail, { rules, against: current.rules, ...selected(options) })
      print('')
      show(report, options)
      current.rules = rules
    } catch (error) {
      reportFailure(error) // a file half written: the next change is tried again
    }
  }
}

function checked(trail: OpenTrail, file: string, options: ReplayOptions): void {
  const check = selfCheck(trail.store, readIamExport(file))
  if (options.json) print(JSON.stringify(check))
  else for (const line of selfCheckLines(check)) print(line)
}

function cacheAt(named: string | boolean | undefined): string {
  return typeof named === 'string' ? named : cacheFolder(process.env)
}

function selected({ since: from, principal }: ReplayOptions) {
  return {
    ...(from !== undefined && { since: from }),
    ...(principal !== undefined && { principal }),
  }
}

function show(report: Report, options: ReplayOptions): void {
  if (options.html !== undefined) writeFileSync(options.html, htmlReport(report))
  if (options.json) print(JSON.stringify(report))
  else for (const line of terminalLines(report, { toned, rows: options.rows })) print(line)
}

/** Seconds since 1970 of `2025-12-01`, `2025-12-01T12:00:00Z`, `90d`, `12w` or `36h`. */
function since(text: string): number {
  const ago = /^(\d{1,5})([hdw])$/.exec(text)
  if (ago !== null) {
    const seconds = { h: 3_600, d: 86_400, w: 604_800 }[ago[2] as 'h' | 'd' | 'w']
    return Math.max(0, Math.floor(Date.now() / 1000) - Number(ago[1]) * seconds)
  }
  const parsed = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(parsed)) throw new InvalidArgumentError('write 2025-12-01, 90d, 12w or 36h')
  return Math.floor(parsed / 1000)
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 10_000) {
    throw new InvalidArgumentError('write a whole number from 1 to 10,000')
  }
  return value
}
