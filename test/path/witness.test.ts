// The commands of the ledger as people run them: a witness that is a process of its own, and a stranger who
// verifies what it saw.
import { execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Witnessing } from '@seconder/gateway/record/witnessing'
import { type FileLedger, openLedger } from '@seconder/ledger/ledger'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** Without the launcher, so that what is killed is the command itself. */
const SECONDER = [
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts'),
]
const { privateKey: signer } = generateKeyPairSync('ed25519')
const at = '2026-01-01T00:00:00.000Z'

let folder: string
let ledger: FileLedger
const processes: ReturnType<typeof spawn>[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-witness-'))
  const directory = join(folder, 'ledger')
  ledger = await openLedger({ directory, origin: 'seconder.example/path', signer })
  writeFileSync(`${directory}.vkey`, ledger.verifierKey)
  await append(300)
})

afterEach(async () => {
  for (const child of processes.splice(0)) {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  await ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

async function append(count: number): Promise<void> {
  const entry = Buffer.from(JSON.stringify({ at, type: 'gate-started' }))
  await ledger.appendAll(Array.from({ length: count }, () => entry))
}

/** `seconder ledger witness` on a port of the system's choice; what it printed of itself. */
async function startWitness(name: string) {
  const vkey = join(folder, 'ledger.vkey')
  const state = ['--state', join(folder, name), '--listen', '127.0.0.1:0']
  const args = ['ledger', 'witness', '--name', `witness.example/${name}`, '--log', vkey, ...state]
  const child = spawn(process.execPath, [...SECONDER, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  processes.push(child)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === 2) break
  }
  const url = / at (http:\S+)$/.exec(lines[0] ?? '')?.[1] ?? ''
  const key = /^public key: (\S+)$/.exec(lines[1] ?? '')?.[1] ?? ''
  return { child, url, key }
}

async function cosign(
  list: { url: string; key: string }[],
  directory = join(folder, 'ledger'),
  timeoutMs = 60_000,
) {
  const config = { list, threshold: list.length, timeoutMs: 10_000, required: false }
  const publish = () => ledger.publish()
  const { verifierKey } = ledger
  const witnessing = new Witnessing({ directory, verifierKey, config, publish })
  const keys = list.map(({ key }) => key)
  const { threshold } = config
  await witnessing.cosigned(ledger.size, { threshold, timeoutMs, keys })
}

/** What a command printed, and how it ended. */
async function run(...args: string[]) {
  const ended = await promisify(execFile)(process.execPath, [...SECONDER, 'ledger', ...args]).catch(
    (error) => error,
  )
  return { code: ended.code ?? 0, stdout: String(ended.stdout), stderr: String(ended.stderr) }
}

test('H13: what a witness saw stays seen: truncation to an earlier valid checkpoint and a fork are named', async () => {
  const { url, key } = await startWitness('w1')
  const directory = join(folder, 'ledger')
  const early = join(folder, 'early')
  await ledger.publish()
  cpSync(directory, early, { recursive: true })
  await append(200)
  await cosign([{ url, key }])
  await ledger.close()

  const whole = await run('verify', directory, '--witness', key)
  expect(whole.stdout).toMatch(/complete up to entry 500, as seen by witness\.example\/w1 at 20/)
  expect(whole.code).toBe(0)
  expect((await run('verify', directory)).stdout).toContain('nobody outside this machine vouches')

  // The host holds the ledger's key: it puts the earlier files back, which verify by themselves.
  const vkey = `${directory}.vkey`
  expect((await run('verify', early, '--key', vkey)).code).toBe(0)
  cpSync(`${directory}.cosigned`, `${early}.cosigned`)
  const truncated = await run('verify', early, '--key', vkey, '--witness', key)
  expect(truncated.stdout).toContain(
    'the ledger ends at 300, and had 500 entries before (rollback)',
  )
  expect(truncated.code).toBe(1)

  // Or it writes another past under the same key, and signs that.
  const forked = join(folder, 'forked')
  const fork = await openLedger({ directory: forked, origin: 'seconder.example/path', signer })
  const other = Buffer.from(JSON.stringify({ at, type: 'gate-started', epoch: 2 }))
  await fork.appendAll(Array.from({ length: 600 }, () => other))
  await fork.close()
  cpSync(`${directory}.cosigned`, `${forked}.cosigned`)
  const rewritten = await run('verify', forked, '--key', vkey, '--witness', key)
  expect(rewritten.stdout).toContain('(fork)')
  expect(rewritten.code).toBe(1)
  await expect(cosign([{ url, key }], forked, 300)).rejects.toMatchObject({ code: 'not_witnessed' })
})

test('H13: a witness that was killed remembers when it comes back, and asks for its threshold', async () => {
  const first = await startWitness('w1')
  await cosign([first])
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const again = await startWitness('w1')
  expect(again.key).toBe(first.key)
  await append(5)
  await cosign([again])
  const second = await startWitness('w2')
  const directory = join(folder, 'ledger')
  const few = await run('verify', directory, '--witness', again.key, second.key)
  expect(few.stdout).toContain('1 of the 2 witnesses asked for cosigned it (not_witnessed)')
  expect(few.code).toBe(1)
  const enough = ['--witness', again.key, second.key, '--threshold', '1']
  expect((await run('verify', directory, ...enough)).code).toBe(0)
  expect((await run('verify', directory, ...enough.slice(0, -1), '3')).code).toBe(2)
})

test('any kept checkpoint is proved to be the beginning of the log, in words and as JSON', async () => {
  const directory = join(folder, 'ledger')
  const kept = join(folder, 'kept.checkpoint')
  writeFileSync(kept, ledger.checkpoint().note)
  await append(57)
  await ledger.publish()
  const proved = await run('consistency', directory, kept)
  expect(proved.stdout).toMatch(/^ok 357 entries go on from 300, by \d+ hashes/)
  const { proof } = JSON.parse((await run('consistency', directory, kept, '--json')).stdout)
  expect(proof.length).toBeGreaterThan(0)
  const backwards = await run('consistency', directory, join(directory, 'checkpoint'), kept)
  expect(backwards).toMatchObject({ code: 1 })
  expect(backwards.stderr).toContain('the older checkpoint is of 357 entries')
})
