// seconder doctor: proves the wall, or says where it is open and what to do. With --session it is tried from
// where the agent stands, by trying to read and to change each place.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Standing } from '@seconder/gateway/wall/standing'
import type { Command } from 'commander'
import { broken, countWords, type Finding, findingLines, unknown } from '../diagnosis/finding.ts'
import { answersFinding, gateFindings, readyFindings } from '../diagnosis/gate-standing.ts'
import { type SeenStanding, surroundingFindings, wallFindings } from '../diagnosis/session-reach.ts'
import {
  answersAt,
  clientFindings,
  configFindings,
  METADATA_URL,
} from '../diagnosis/surroundings.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import type { GateClient, GateFacts } from '../gate-client.ts'
import { gateFor, readAsSession, sessionKeys } from '../reading.ts'
import { print, table, toned } from '../render/terminal.ts'

interface DoctorOptions {
  readonly gate?: string
  readonly config?: string
  readonly sshKey?: string
  readonly session?: boolean
  readonly metadata: string
  readonly json?: boolean
}

const DEFAULT_CONFIG = 'seconder.yaml'

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'prove the wall: gate, files, credentials, trust, modes, clients; exit 1 where it is broken',
    )
    .option('--gate <url>', 'console address of the gate')
    .option('--config <file>', `configuration to check; ${DEFAULT_CONFIG} where there is one`)
    .option('--ssh-key <path>', 'your registered SSH key; the last one used is remembered')
    .option('--session', 'run it as the agent, in its shell: tries to reach what it must not')
    .option('--metadata <url>', 'with --session: the metadata service to try', METADATA_URL)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      [
        '',
        'Without --session: as the operator, on the gate\'s host. "unseen" is what could not be looked at.',
        '',
        'Examples:',
        '  seconder doctor --ssh-key ~/.ssh/id_ed25519',
        '  sudo -u kiro -i seconder doctor --session --gate http://127.0.0.1:8788',
        '',
      ].join('\n'),
    )
    .action(doctor)
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { findings, standing } = await examined(options)
  const isBroken = findings.some(({ state }) => state === 'broken')
  if (options.json)
    print(JSON.stringify({ ok: !isBroken, findings, protect: standing?.protect ?? [] }))
  else {
    for (const line of findingLines(findings)) print(line)
    if (standing !== null && !options.session) printProtected(standing)
    print(`\n${verdictOf(findings)}: ${countWords(findings)}.`)
  }
  if (isBroken) process.exitCode = EXIT.failed
}

/** What could not be looked at is never called well. */
function verdictOf(findings: readonly Finding[]): string {
  const has = (state: Finding['state']) => findings.some((one) => one.state === state)
  if (has('broken')) return toned('red', 'The wall is open')
  return has('unknown') ? 'No hole was found in what could be looked at' : 'The wall stands'
}

async function examined(
  options: DoctorOptions,
): Promise<{ findings: Finding[]; standing: Standing | null }> {
  const findings: Finding[] = []
  const config = options.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
  if (config !== undefined && !options.session) findings.push(...(await configFindings(config)))
  findings.push(...(await clientFindings(process.env['PATH'])))
  const client = gateFor(options)
  const facts = await asFinding('gate', () => client.facts())
  if ('state' in facts) return { findings: [...findings, facts], standing: null }
  if (options.session) {
    return {
      findings: [...findings, ...(await sessionFindings(client, facts, options))],
      standing: null,
    }
  }
  findings.push(answersFinding(facts), ...readyFindings(await client.ready()))
  const standing = await asFinding('standing', () => client.get<Standing>('/api/standing'))
  if ('state' in standing) return { findings: [...findings, standing], standing: null }
  return { findings: [...findings, ...gateFindings(standing)], standing }
}

/** From the shell of an agent: the gate tells its session, and nobody else here, what to try. */
async function sessionFindings(
  client: GateClient,
  { endpoint }: GateFacts,
  { metadata }: DoctorOptions,
): Promise<Finding[]> {
  const surroundings = {
    environ: process.env,
    home: homedir(),
    uid: process.getuid?.() ?? null,
    endpoint,
    metadataAnswers: () => answersAt(metadata),
  }
  const keys = sessionKeys(process.env)
  const seen =
    keys === null
      ? unknown(
          'wall',
          'this shell has no keys of a session, so the gate tells it nothing to try',
          'run it where the agent runs: seconder session open, or seconder run',
        )
      : await asFinding('wall', () =>
          readAsSession<SeenStanding>(client.base, keys, '/api/standing'),
        )
  const wall = 'state' in seen ? [seen] : wallFindings(seen, surroundings)
  return [...wall, ...(await surroundingFindings(surroundings))]
}

/** What was asked, or why it could not be known: a gate that is not there is broken, anything else unseen. */
async function asFinding<T extends object>(
  what: string,
  ask: () => Promise<T>,
): Promise<T | Finding> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof CommandFailure)) throw cause
    return (what === 'gate' ? broken : unknown)(what, cause.message, cause.help)
  }
}

function printProtected({ protect }: Standing): void {
  print(`\nProtected: a change of these needs two people, in every environment\n`)
  print(
    table(
      ['  what', 'arn'],
      protect.map(({ arn, what }) => [`  ${what}`, arn]),
    ),
  )
}
