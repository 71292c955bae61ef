// The same AWS CLI commands against moto itself and through a gate in front of another moto: what comes
// out must be alike but for ids and times, reads pass at once, and a write is done only after its review.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLIS, type Cli, ClientHome, type Ran } from '../path/clients.ts'
import { Harness, type Keys, requestIdIn } from '../path/harness.ts'
import { likeness } from './likeness.ts'
import { MOTO, type MotoServer, startMoto } from './moto-server.ts'
import { PLAYED, type Step } from './stories.ts'

const CLI = CLIS.v1 ?? CLIS.v2
const ANY_KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/EXAMPLEKEY' }
/** The end of central directory alone: a zip file with nothing in it. */
const EMPTY_ZIP = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1')

/** Every command is two processes of Python, and many run at once. */
const STORY_MS = 15 * 60_000

const home = new ClientHome()
let direct: MotoServer
let behind: MotoServer
let gate: Harness
let keys: Keys
let commands = 0

beforeAll(async () => {
  if (MOTO === undefined || CLI === undefined) return
  ;[direct, behind] = await Promise.all([startMoto(MOTO), startMoto(MOTO)])
  await Promise.all([warmed(CLI, direct), warmed(CLI, behind)])
  gate = await Harness.start({ upstream: behind.url, expiresInMs: 600_000 })
  keys = await gate.open('alice')
  writeFileSync(home.path('notes.txt'), 'a note, é\n')
  writeFileSync(home.path('code.zip'), EMPTY_ZIP)
  writeFileSync(home.path('config'), '[default]\ns3 =\n  payload_signing_enabled = true\n')
})

afterAll(async () => {
  home.remove()
  await gate?.stop()
  await Promise.all([direct?.close(), behind?.close()])
})

/** moto loads a service at its first call, all of them for a stack: longer than a look-up of the gate waits. */
async function warmed(cli: Cli, { url }: MotoServer): Promise<void> {
  for (const words of [
    'cloudformation list-stacks',
    'ec2 describe-vpcs',
    'lambda list-functions',
  ]) {
    await home.run(cli, { endpoint: url, keys: ANY_KEY }, ...words.split(' '))
  }
}

type Kept = Map<string, string>

function wordsOf({ run }: Step, kept: Kept): string[] {
  const words = run.match(/(?:'[^']*'|[^ '])+/g) ?? []
  return words.map((word) =>
    word.replaceAll("'", '').replace(/\{([a-z]+)\}/g, (all, name) => kept.get(name) ?? all),
  )
}

function keep({ keep: wanted = {} }: Step, { out }: Ran, kept: Kept): void {
  for (const [name, path] of Object.entries(wanted)) {
    let value: unknown = JSON.parse(out)
    for (const member of path.split('.')) value = (value as Record<string, unknown>)[member]
    kept.set(name, String(value))
  }
}

/** Bob signs, and carol with him where it takes two. */
async function approve(id: string): Promise<void> {
  const { state } = await gate.review('bob', id)
  if (state === 'pending') await gate.review('carol', id)
}

async function throughGate(cli: Cli, step: Step, kept: Kept): Promise<Ran> {
  const run = () => home.run(cli, { endpoint: keys.endpoint, keys }, ...wordsOf(step, kept))
  let ran = await run()
  if (!step.isHeld) return ran
  // A look-up of a busy moto may come late for one of two looks; then the gate asks for a new review.
  for (let looks = 0; looks < 5; looks++) {
    expect(ran.code, `${step.run} is held`).not.toBe(0)
    expect(ran.err, step.run).toContain('Seconder held this call, nothing was done')
    await approve(requestIdIn(new Error(ran.err)))
    ran = await run()
    if (!ran.err.includes('has changed since it was approved')) return ran
    ran = await run()
  }
  return ran
}

async function play(cli: Cli, story: readonly Step[]): Promise<void> {
  const keptDirect: Kept = new Map()
  const keptBehind: Kept = new Map()
  for (const step of story) {
    const [plain, gated] = await Promise.all([
      home.run(cli, { endpoint: direct.url, keys: ANY_KEY }, ...wordsOf(step, keptDirect)),
      throughGate(cli, step, keptBehind),
    ])
    commands++
    const words = `${step.run}\n${plain.err}\n${gated.err}`
    expect(plain.err.includes('An error occurred'), words).toBe(step.fails !== undefined)
    if (step.fails !== undefined) expect(gated.err, words).toContain(step.fails)
    expect(likeness(gated.err), words).toBe(likeness(plain.err))
    expect(gated.code, words).toBe(plain.code)
    expect(likeness(gated.out), words).toBe(likeness(plain.out))
    keep(step, plain, keptDirect)
    keep(step, gated, keptBehind)
  }
}

describe.skipIf(MOTO === undefined || CLI === undefined)('AWS CLI on moto', () => {
  for (const [service, story] of PLAYED) {
    test.concurrent(
      `${service}: ${story.length} commands are as without the gate`,
      () => play(CLI as Cli, story),
      STORY_MS,
    )
  }

  test('nothing was written that nobody had signed, and every command was counted', async () => {
    const entries = await gate.entries()
    const intents = entries.filter(({ type }) => type === 'intent')
    expect(intents.length).toBeGreaterThan(PLAYED.length / 2)
    expect(intents.filter(({ grant }) => grant === null)).toEqual([])
    expect(commands).toBe(PLAYED.reduce((sum, [, story]) => sum + story.length, 0))
    process.stdout.write(
      `moto tier: ${commands} commands of ${PLAYED.length} services, CLI ${CLI?.version}\n`,
    )
  })
})
