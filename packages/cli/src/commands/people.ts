// seconder people: who belongs to a gate. Each change needs two members' signatures, and never counts the one
// of whoever would gain by it.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import type { ShownChange } from '@seconder/gateway/people/desk'
import type { Command } from 'commander'
import {
  cancelChange,
  checkedChange,
  joinFirst,
  keyLine,
  type ListedPeople,
  signChange,
  wordsOf,
} from '../changing-people.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { gateFor } from '../reading.ts'
import { note, print, table } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'
import { addAwayCommands } from './away.ts'

interface Options {
  readonly gate?: string
  readonly sshKey?: string
  readonly json?: boolean
  readonly yes?: boolean
  readonly team?: readonly string[]
  readonly key?: readonly string[]
  readonly issuer?: string
  readonly subject?: string
}

export function addPeopleCommands(program: Command): void {
  const people = program
    .command('people')
    .description('who belongs to this gate; each change needs the signatures of two')
  withGate(people.command('ls').description('members, their keys, and changes that wait'))
    .addHelpText('after', example('people ls'))
    .action(list)
  signed(people.command('add <name>').description('add somebody, with their keys and teams'))
    .option('--key <file-or-line>', 'their public key, or the line of their passkey', several, [])
    .option('--team <name>', 'a team of theirs; may be given often', several, [])
    .option('--issuer <url>', 'their identity provider, with --subject')
    .option('--subject <id>', 'their subject there, never an e-mail address')
    .addHelpText('after', example('people add dora --key dora.pub --team sre'))
    .action(add)
  signed(
    people.command('remove <name>').description('remove somebody: keys, sessions, open approvals'),
  )
    .addHelpText('after', example('people remove mallory'))
    .action((person: string, options: Options) =>
      change({ kind: 'remove-person', person }, options),
    )
  addKeyCommands(people)
  addTeamCommands(people)
  addIdentityCommands(people)
  addAwayCommands(people)
  signed(
    people.command('sign <change>').description('sign a change that waits for a second member'),
  )
    .addHelpText('after', example('people sign c-3f2a'))
    .action(sign)
  signed(people.command('cancel <change>').description('end a change that waits'))
    .addHelpText('after', example('people cancel c-3f2a'))
    .action(cancel)
  signed(
    people.command('first <name>').description('become the first member of a gate that has nobody'),
  )
    .requiredOption('--link-file <path>', 'the file that `seconder serve` named, of its own user')
    .option('--team <name>', 'a team of yours; may be given often', several, [])
    .addHelpText(
      'after',
      example('people first alice --link-file .seconder/first-member --team sre'),
    )
    .action(first)
}

function addKeyCommands(people: Command): void {
  const key = people.command('key').description('keys of a member: SSH keys and passkeys')
  signed(key.command('add <name> <file-or-line>').description('add a key of a member'))
    .addHelpText('after', example('people key add bob ~/bob_sk.pub'))
    .action((person: string, given: string, options: Options) =>
      change({ kind: 'add-key', person, key: keyLine(given) }, options),
    )
  signed(key.command('remove <name> <fingerprint>').description('end a key of a member'))
    .addHelpText('after', example('people key remove bob SHA256:Jp2...'))
    .action((person: string, fingerprint: string, options: Options) =>
      change({ kind: 'remove-key', person, fingerprint }, options),
    )
}

function addTeamCommands(people: Command): void {
  const team = people.command('team').description('teams of a member, which policies ask for')
  for (const kind of ['add', 'remove'] as const) {
    signed(team.command(`${kind} <name> <team>`).description(`${kind} a member's team`))
      .addHelpText('after', example(`people team ${kind} bob sre`))
      .action((person: string, name: string, options: Options) =>
        change({ kind: `${kind}-team`, person, team: name }, options),
      )
  }
}

function addIdentityCommands(people: Command): void {
  const identity = people
    .command('identity')
    .description(
      'links between a member and an identity provider: one person, whoever they sign in as',
    )
  for (const kind of ['add', 'remove'] as const) {
    const words = kind === 'add' ? 'link' : 'unlink'
    signed(identity.command(`${kind} <name> <issuer> <subject>`).description(`${words} a subject`))
      .addHelpText('after', example(`people identity ${kind} bob https://id.example.com 00u1x2`))
      .action((person: string, issuer: string, subject: string, options: Options) =>
        change({ kind: `${kind}-identity`, person, identity: { issuer, subject } }, options),
      )
  }
}

function withGate(command: Command): Command {
  return command
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--json', 'as JSON')
}

function signed(command: Command): Command {
  return withGate(command).option('--yes', 'do not ask again on a terminal')
}

function several(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

function example(text: string): string {
  return `\nExample:\n  seconder ${text} --ssh-key ~/.ssh/id_ed25519\n`
}

async function list(options: Options): Promise<void> {
  const client = gateFor(options)
  const { people, changes } = await client.get<ListedPeople>('/api/people')
  if (options.json) return print(JSON.stringify({ people, changes }))
  const rows = people.flatMap(({ name, teams, keys, identities }) => [
    ...keys.map(({ fingerprint, kind, showsPresence }, index) => [
      index === 0 ? name : '',
      index === 0 ? teams.join(', ') : '',
      `${kind}${showsPresence ? ', shows presence' : ''}`,
      fingerprint,
    ]),
    ...identities.map(({ issuer, subject }) => ['', '', 'identity', `${subject} at ${issuer}`]),
  ])
  print(
    people.length === 0
      ? 'Nobody is a member.'
      : table(['name', 'teams', 'kind', 'known by'], rows),
  )
  for (const one of changes) print(`\n${changeLine(one)}`)
}

function changeLine(one: ShownChange): string {
  const until = one.takesEffectAt === null ? '' : ` In force at ${one.takesEffectAt}.`
  const who = one.signers.length > 0 ? `signed by ${one.signers.join(', ')}` : 'signed by nobody'
  return `${one.changeId}: ${wordsOf(checkedChange(one.change))}\n  ${who}; needs ${one.needs}.${until}`
}

async function add(person: string, options: Options): Promise<void> {
  const { key = [], team = [], issuer, subject } = options
  if ((issuer === undefined) !== (subject === undefined)) {
    throw new CommandFailure('usage', '--issuer and --subject belong together', '', EXIT.usage)
  }
  const identities = issuer === undefined ? [] : [{ issuer, subject }]
  const keys = key.map(keyLine)
  await change({ kind: 'add-person', person, teams: [...team], keys, identities }, options)
}

async function sign(id: string, options: Options): Promise<void> {
  const { changes } = await gateFor(options).get<ListedPeople>('/api/people')
  await change(only(id, changes).change, options)
}

async function cancel(id: string, options: Options): Promise<void> {
  const client = gateFor(options)
  const { changes } = await client.get<ListedPeople>('/api/people')
  const { changeId, change: open } = only(id, changes)
  const signer = await signerFor(client, options.sshKey)
  await confirm(`cancel: ${wordsOf(checkedChange(open))}`, options)
  const after = await cancelChange(client, signer, changeId)
  print(options.json ? JSON.stringify(after) : `Cancelled ${changeId}.`)
}

function only(id: string, changes: readonly ShownChange[]): ShownChange {
  const found = changes.filter(({ changeId }) => changeId.startsWith(id))
  if (found.length === 1 && found[0]) return found[0]
  throw new CommandFailure(
    'change_unknown',
    `${id} fits ${found.length} changes that wait`,
    'see `seconder people ls`',
  )
}

async function change(wanted: unknown, options: Options): Promise<void> {
  const checked = checkedChange(wanted)
  const client = gateFor(options)
  const signer = await signerFor(client, options.sshKey)
  await confirm(wordsOf(checked), options)
  const after = await signChange(client, signer, checked)
  if (options.json) return print(JSON.stringify(after))
  if (after.needs === null) return print(`In force: ${wordsOf(checked)}.`)
  print(changeLine(after))
  if (after.takesEffectAt === null) {
    print(`Another member signs it with: seconder people sign ${after.changeId}`)
  }
}

async function first(person: string, options: Options & { linkFile: string }): Promise<void> {
  if (!options.sshKey) {
    throw new CommandFailure(
      'usage',
      'this needs your key',
      '--ssh-key ~/.ssh/id_ed25519',
      EXIT.usage,
    )
  }
  const client = gateFor(options)
  const { team: teams = [] } = options
  const link = readLink(options.linkFile)
  const joined = await joinFirst(client, options.sshKey, { name: person, teams, link })
  print(
    options.json
      ? JSON.stringify(joined)
      : `${joined.person} is the first member. Add a second now: seconder people add NAME --key THEIR.pub (it waits a day, as there is nobody else to ask)`,
  )
}

function readLink(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    const help = "read it as the gate's own user; restart the gate for a new one"
    throw new CommandFailure('link_unreadable', `cannot read \`${path}\``, help)
  }
}

async function confirm(words: string, options: Options): Promise<void> {
  if (!options.json) note(`You sign: ${words}.`)
  if (options.yes || options.json || !process.stdin.isTTY) return
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await lines.question('Type yes to sign: ')
  lines.close()
  if (answer.trim() !== 'yes') throw new CommandFailure('not_signed', 'nothing was signed', '')
}
