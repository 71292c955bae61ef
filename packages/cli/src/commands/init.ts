// seconder init aws: writes the wall on AWS's side as files. It sends one question (who the gate is) and
// changes nothing in AWS: whoever applies the files does so with rights of their own.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, loadConfig } from '@seconder/gateway/config'
import { ownIdentity } from '@seconder/gateway/execute/lending'
import { systemClock } from '@seconder/gateway/lib/clock'
import type { Command } from 'commander'
import { applyCommand } from '../aws-wall/commands.ts'
import { CHARS_MAX, type Wall, type WallDocument, wallOf } from '../aws-wall/documents.ts'
import { USUAL_SERVICES } from '../aws-wall/packed-reads.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { note, print, table, toned } from '../render/terminal.ts'

interface InitOptions {
  readonly config: string
  readonly gateArn?: string
  readonly except: readonly string[]
  readonly service: readonly string[]
  readonly out?: string
  readonly json?: boolean
}

const IAM_ARN = /^arn:[a-z-]+:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/
const PRINCIPAL_PATTERN = /^arn:[a-z*-]+:iam::(\d{12}|\*):(role|user|root)[\w+=,.@/*?-]*$/

export function addInitCommands(program: Command): void {
  const several = (value: string, before: readonly string[]) => [...before, value]
  program
    .command('init')
    .description('writes what the gate needs elsewhere, as files')
    .command('aws')
    .description(
      "trust policies of the roles, the gate's own policy, a boundary for agents' roles, and the SCP that closes the way round",
    )
    .option('--config <file>', 'configuration with the roles', 'seconder.yaml')
    .option('--gate-arn <arn>', 'role or user that the gate is; else STS is asked once')
    .option(
      '--except <pattern>',
      'ARN pattern of people or workloads that go on without the gate; may be given often',
      several,
      [],
    )
    .option(
      '--service <prefix>',
      'a service whose reads stay open to all, before the usual ones; may be given often',
      several,
      [],
    )
    .option('--out <dir>', 'write one file each there, instead of printing them')
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      [
        '',
        'Nothing is written into AWS. How to apply the files, and how to take them back in a minute: docs/aws.md',
        '',
        'Examples:',
        '  seconder init aws --gate-arn arn:aws:iam::111122223333:role/seconder-gate',
        "  seconder init aws --out wall --except 'arn:aws:iam::*:role/app/*' \\",
        "    --except 'arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*'",
        '',
      ].join('\n'),
    )
    .action(initAws)
}

async function initAws(options: InitOptions): Promise<void> {
  const config = configOf(options)
  const roles = Object.fromEntries(
    Object.entries(config.roles).map(([name, { arn }]) => [name, arn]),
  )
  if (Object.keys(roles).length === 0) {
    const help = 'write `roles: { deploy: { arn: "arn:aws:iam::ACCOUNT:role/NAME" } }` first'
    throw new CommandFailure('no_role', `\`${options.config}\` configures no role`, help)
  }
  for (const pattern of options.except) {
    if (PRINCIPAL_PATTERN.test(pattern)) continue
    const help = 'write e.g. arn:aws:iam::*:role/app/*'
    throw new CommandFailure('usage', `\`${pattern}\` is no ARN pattern of IAM`, help, EXIT.usage)
  }
  const wall = wallOf({
    gate: await gateArn(options, config),
    roles,
    except: options.except,
    services: [...options.service, ...USUAL_SERVICES],
  })
  if (options.json) print(JSON.stringify(jsonOf(wall)))
  else if (options.out === undefined) printed(wall)
  else written(wall, options.out)
}

/** With the ARN given, nothing is asked of AWS and the gate's own credentials need not be at hand. */
function configOf({ config, gateArn }: InitOptions): Config {
  const absent = { AWS_ACCESS_KEY_ID: 'not-used', AWS_SECRET_ACCESS_KEY: 'not-used' }
  return loadConfig(config, gateArn === undefined ? process.env : { ...absent, ...process.env })
}

async function gateArn(options: InitOptions, config: Config): Promise<string> {
  const arn = options.gateArn ?? roleOf(await ownIdentity(config, systemClock()))
  if (arn !== null && IAM_ARN.test(arn)) return arn
  throw new CommandFailure(
    'usage',
    options.gateArn === undefined
      ? 'STS does not name a role or user that the gate is'
      : `\`${options.gateArn}\` is no role or user`,
    'give it: --gate-arn arn:aws:iam::ACCOUNT:role/NAME',
    EXIT.usage,
  )
}

/** The role behind a session. Its path is in no session's ARN: with one, --gate-arn must be given. */
function roleOf(identity: string | null): string | null {
  const [, partition, account, role] =
    /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(identity ?? '') ?? []
  if (role === undefined) return identity
  note(`  note  the gate is the role ${role}; if that has a path, give --gate-arn with it`)
  return `arn:${partition}:iam::${account}:role/${role}`
}

function jsonOf({ documents, closedReads }: Wall) {
  return {
    documents: documents.map(({ text, ...one }) => ({
      ...one,
      characters: text.length,
      charactersMax: CHARS_MAX[one.kind],
      document: JSON.parse(text),
      apply: applyCommand(one),
    })),
    closedReads,
  }
}

function printed(wall: Wall): void {
  for (const one of wall.documents) {
    print(toned('bold', `# ${one.name}.json: ${one.about}`))
    print(one.text)
    print(`# ${applyCommand(one)}\n`)
  }
  closing(wall)
}

function written(wall: Wall, out: string): void {
  const folder = resolve(out)
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of wall.documents) writeFileSync(join(folder, `${name}.json`), text)
  print(
    table(
      ['file', 'characters', 'what it is'],
      wall.documents.map(({ name, kind, text, about }) => [
        `${name}.json`,
        `${text.length} of ${CHARS_MAX[kind]}`,
        about,
      ]),
    ),
  )
  print('\nNothing was changed in AWS. To apply them, in this order, from that folder:\n')
  for (const one of inOrder(wall.documents)) print(`  ${applyCommand(one)}`)
  print('')
  closing(wall)
}

/** The SCPs last: until the roles trust the gate nobody else could change what they close. */
function inOrder(documents: readonly WallDocument[]): WallDocument[] {
  return [...documents].sort((a, b) => Number(a.kind === 'scp') - Number(b.kind === 'scp'))
}

function closing({ closedReads }: Wall): void {
  note(
    '  note  an SCP closes every change to all but the gate and --except: name workloads and people first',
  )
  note('  note  it holds in member accounts only, and not for principals of other organizations')
  if (closedReads.length > 0) {
    note(`  note  reads closed too, to all but the exceptions: ${closedReads.join(', ')}`)
  }
}
