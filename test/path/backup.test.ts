// A gate that is backed up while it works, lost, and put back elsewhere: nothing that was used, closed or denied
// comes back with it, and no ledger that is older than what was acknowledged.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { DeleteTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { makeBackup } from '@seconder/cli/backup/making'
import { type RestoreOptions, restoreBackup } from '@seconder/cli/backup/restoring'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import type { Config } from '@seconder/gateway/config'
import { type RunningGate, serve } from '@seconder/gateway/serve'
import { parsePostgresUrl } from '@seconder/gateway/state/postgres-address'
import { nodeFiles } from '@seconder/ledger/files'
import { LOCK_FILE } from '@seconder/ledger/layout'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness
let second: RunningGate | null = null

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, expiresInMs: 600_000 })
})

afterEach(async () => {
  await second?.close()
  second = null
  await gate.stop()
  await upstream.close()
})

/** Of a state on PostgreSQL the database's own back-up is the one that counts. */
const onFiles = test.skipIf(onPostgres())
const quiet = () => undefined
const NOTHING: RestoreOptions = { checkpoints: [], acceptLoss: false }
const back = () => join(gate.folder, 'back-up')

function backUp(): Promise<unknown> {
  return makeBackup(gate.config(), back(), quiet)
}

/** The same gate at another place, with nothing there yet. */
function elsewhere(): Config {
  const folder = join(gate.folder, 'elsewhere')
  return {
    ...gate.config(),
    listen: { aws: { host: '127.0.0.1', port: 0 }, console: { host: '127.0.0.1', port: 0 } },
    statePath: join(folder, 'state', 'state.db'),
    ledgerDirectory: join(folder, 'ledger'),
  }
}

const removal = () => new DeleteTableCommand({ TableName: 'orders' })
const failure = (error: unknown) => error
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

async function requested(keys: Keys): Promise<string> {
  return requestIdIn(await gate.dynamodb(keys).send(removal()).catch(failure))
}

/** Moves the state away, as whoever lost it would have it. */
function loseState(): void {
  const { statePath } = gate.config()
  for (const end of ['', '-wal', '-shm']) rmSync(`${statePath}${end}`, { force: true })
}

onFiles(
  'a back-up taken under traffic comes back elsewhere: verified, closed, and able to go on',
  async () => {
    const keys = await gate.open('alice')
    const id = await requested(keys)
    await gate.review('bob', id)
    let isDone = false
    const traffic = (async () => {
      const client = gate.dynamodb(keys)
      let calls = 0
      for (; !isDone; calls++) await client.send(new ListTablesCommand())
      return calls
    })()
    await backUp()
    isDone = true
    expect(await traffic).toBeGreaterThan(0)

    // What it holds is for its owner alone, and no key of a session is in it.
    for (const found of readdirSync(back(), { recursive: true, withFileTypes: true })) {
      const path = join(found.parentPath, found.name)
      expect([path, statSync(path).mode & 0o077]).toEqual([path, 0])
      if (found.isFile()) expect(readFileSync(path).includes(keys.secretAccessKey)).toBe(false)
    }

    // Gone with its disk: only the back-up is left.
    const { gate: gateId } = await gate.client.facts()
    await gate.running.close()
    const config = elsewhere()
    await expect(restoreBackup(config, back(), NOTHING, quiet)).rejects.toMatchObject({
      code: 'loss_not_accepted',
    })
    expect(existsSync(config.statePath)).toBe(false)
    const restored = await restoreBackup(config, back(), { ...NOTHING, acceptLoss: true }, quiet)
    expect(restored.ledger).toBe('from-backup')
    second = await serve(config)
    expect(second.notices.join(' ')).toContain('restored from the back-up of')
    expect((await second.gate.facts()).gate).toBe(gateId)

    // The old session is nobody's, the approval is void, and a new one is reviewed as ever.
    const old = gate.dynamodb({ ...keys, endpoint: second.awsUrl })
    await expect(old.send(new ListTablesCommand())).rejects.toThrow(/session/i)
    expect(await second.gate.store.grantForRequest(id)).toMatchObject({ state: 'revoked' })
    const first = gate.running
    gate.running = second
    const fresh = await gate.open('alice')
    const again = await requested(fresh)
    expect(again).not.toBe(id)
    await gate.review('bob', again)
    await gate.dynamodb(fresh).send(removal())
    expect(deletions()).toBe(1)
    gate.running = first

    await second.close()
    const { report, entries } = await verifyLedgerFolder(config.ledgerDirectory)
    expect(report.problems).toEqual([])
    const [entry] = entries.filter(({ type }) => type === 'gate-restored')
    expect(entry).toMatchObject({ ledger: 'from-backup', sessions: 1, grants: 1 })
  },
)

onFiles(
  'an old back-up brings back no used approval, closed session, denied request, old epoch or old member',
  async () => {
    const keys = await gate.open('alice')
    const used = await requested(keys)
    await gate.review('bob', used)
    const other = await gate.open('alice', 'other-agent')
    const denied = await requested(other)
    await backUp()
    await gate.dynamodb(keys).send(removal())
    await gate.review('bob', denied, 'deny', 'no')
    const policies = join(gate.folder, 'policies')
    cpSync(gate.config().policiesDirectory, policies, { recursive: true })
    const [file = ''] = readdirSync(policies).filter((name) => name.endsWith('.cedar'))
    writeFileSync(join(policies, file), `// changed\n${readFileSync(join(policies, file), 'utf8')}`)
    await gate.restartWith(policies)
    for (const person of ['alice', 'bob']) {
      const { gate: id } = await gate.client.facts()
      const { from, version } = await gate.client.get<{ from: number; version: string }>(
        '/api/epochs/candidate',
      )
      const statement = {
        type: 'seconder-epoch@v1',
        gate: id,
        from,
        version,
        signer: person,
        nonce: `nonce-of-${person}-0123456789`,
        expiresAt: new Date(Date.now() + 600_000).toISOString(),
      }
      await gate.client.post('/api/epochs', await gate.act(person, statement, 'seconder-epoch@v1'))
    }
    expect(await gate.client.facts()).toMatchObject({ epoch: 2 })
    await gate.running.close()

    loseState()
    const config = { ...gate.config(), policiesDirectory: policies }
    const restored = await restoreBackup(config, back(), NOTHING, quiet)
    // A state that had not yet heard of the checkpoint with bob's first review is told of that one too.
    const { followed } = restored.manifest
    const reviews = (await gate.entries()).flatMap(({ type }, at) =>
      type === 'review' ? [at] : [],
    )
    expect(reviews).toHaveLength(2)
    expect(reviews[1]).toBeGreaterThanOrEqual(followed)
    expect(restored).toMatchObject({
      ledger: 'kept',
      replayed: {
        intent: 1,
        review: reviews.filter((at) => at >= followed).length,
        'epoch-activated': 1,
      },
    })
    await gate.restart({ policiesDirectory: policies })
    expect(await gate.client.facts()).toMatchObject({ epoch: 2 })
    const { store } = gate.running.gate
    expect(await store.grantForRequest(used)).toMatchObject({ state: 'consumed' })
    expect(await store.request(denied)).toMatchObject({ state: 'denied' })
    await expect(gate.dynamodb(keys).send(removal())).rejects.toThrow(/session/i)
    expect(deletions()).toBe(1)
    // What was signed once is used up, also where the state never saw it.
    expect(await store.useNonce('nonce-of-bob-0123456789', Date.now())).toBe(false)
    const [entry] = (await gate.entries()).filter(({ type }) => type === 'gate-restored')
    expect(entry).toMatchObject({ ledger: 'kept' })
  },
)

onFiles(
  'the state of a back-up, put there by hand, ends what is open in it all the same',
  async () => {
    const keys = await gate.open('alice')
    const id = await requested(keys)
    await gate.review('bob', id)
    await backUp()
    await gate.dynamodb(keys).send(removal())
    await gate.running.close()
    loseState()
    cpSync(join(back(), 'state.db'), gate.config().statePath)
    await gate.restart()
    expect(await gate.running.gate.store.grantForRequest(id)).toMatchObject({ state: 'consumed' })
    await expect(gate.dynamodb(keys).send(removal())).rejects.toThrow(/session/i)
    expect(deletions()).toBe(1)
    const [entry] = (await gate.entries()).filter(({ type }) => type === 'gate-restored')
    expect(entry).toMatchObject({ ledger: 'unknown' })
  },
)

onFiles(
  'nothing is restored over a gate that runs, a state, a ledger that is another or older, or from what is not whole',
  async () => {
    const keys = await gate.open('alice')
    await backUp()
    const { statePath, ledgerDirectory } = gate.config()
    const refused = (code: string, config = gate.config(), options = NOTHING) =>
      expect(restoreBackup(config, back(), options, quiet)).rejects.toMatchObject({ code })
    await expect(backUp()).rejects.toMatchObject({ code: 'folder_taken' })
    await refused('not_supported', {
      ...gate.config(),
      database: parsePostgresUrl('postgres://gate@127.0.0.1/gate'),
    })
    await refused('state_there')
    const aside = { ...gate.config(), statePath: join(gate.folder, 'aside', 'state.db') }
    await refused('gate_running', aside)

    await gate.dynamodb(keys).send(new ListTablesCommand())
    await gate.running.close()
    const kept = join(gate.folder, 'kept.checkpoint')
    cpSync(join(ledgerDirectory, 'checkpoint'), kept)
    // Lost with all that came after the back-up: a checkpoint of it says so, whatever the operator accepts.
    await refused('ledger_older_than_acknowledged', elsewhere(), {
      checkpoints: [kept],
      acceptLoss: true,
    })
    expect(existsSync(elsewhere().ledgerDirectory)).toBe(false)

    // The ledger of another gate, and a back-up of which one file was changed.
    const strange = elsewhere()
    mkdirSync(join(strange.ledgerDirectory, 'tile'), { recursive: true })
    cpSync(join(ledgerDirectory, 'tile'), join(strange.ledgerDirectory, 'tile'), {
      recursive: true,
    })
    await refused('ledger_not_continued', strange)
    rmSync(strange.ledgerDirectory, { recursive: true })
    const changed = new DatabaseSync(join(back(), 'state.db'))
    changed.exec(
      `UPDATE grants SET state = 'ready'; UPDATE meta SET value = '' WHERE key = 'restored'`,
    )
    changed.close()
    await refused('bad_backup', strange, { ...NOTHING, acceptLoss: true })
    expect(existsSync(strange.statePath)).toBe(false)
    renameSync(statePath, `${statePath}.moved`)
    await refused('bad_backup')
    renameSync(`${statePath}.moved`, statePath)
    await gate.restart()
  },
)

onFiles(
  'what lies in a back-up vouches for nothing; the same checkpoint from elsewhere does',
  async () => {
    await gate.open('alice')
    await gate.running.close()
    const { ledgerDirectory } = gate.config()
    cpSync(join(ledgerDirectory, 'checkpoint'), `${ledgerDirectory}.cosigned`)
    await backUp()
    const restore = (checkpoints: readonly string[]) =>
      restoreBackup(elsewhere(), back(), { checkpoints, acceptLoss: false }, quiet)
    const refused = { code: 'loss_not_accepted' }
    await expect(restore([])).rejects.toMatchObject(refused)
    for (const own of [join('ledger', 'checkpoint'), 'ledger.cosigned'])
      await expect(restore([join(back(), own)])).rejects.toMatchObject(refused)
    const link = join(gate.folder, 'linked')
    symlinkSync(back(), link)
    await expect(restore([join(link, 'ledger.cosigned')])).rejects.toMatchObject(refused)
    const elsewhereKept = join(gate.folder, 'kept.checkpoint')
    cpSync(join(ledgerDirectory, 'checkpoint'), elsewhereKept)
    expect(await restore([elsewhereKept])).toMatchObject({ ledger: 'from-backup' })
  },
)

/** The files of the gate as they are now, at a place of their own, as if it were another one. */
function copied(name: string): Config {
  const { statePath, ledgerDirectory } = gate.config()
  const folder = join(gate.folder, name)
  cpSync(dirname(statePath), join(folder, 'state'), { recursive: true })
  cpSync(ledgerDirectory, join(folder, 'ledger'), { recursive: true })
  cpSync(`${ledgerDirectory}.vkey`, join(folder, 'ledger.vkey'))
  const places = { statePath: join(folder, 'state', 'state.db') }
  return { ...gate.config(), ...places, ledgerDirectory: join(folder, 'ledger') }
}

onFiles(
  'a back-up has at least the ledger that witnesses cosigned: it waits for it, or is none',
  async () => {
    const keys = await gate.open('alice')
    await gate.running.close()
    const old = copied('old')
    await gate.restart()
    await gate.dynamodb(keys).send(new ListTablesCommand())
    await gate.running.close()
    const { ledgerDirectory } = gate.config()
    cpSync(join(ledgerDirectory, 'checkpoint'), `${old.ledgerDirectory}.cosigned`)
    await expect(makeBackup(old, back(), quiet)).rejects.toMatchObject({
      code: 'bad_backup',
      message: expect.stringContaining('rollback'),
    })

    // With a gate at work on it: its next checkpoint is the one.
    const held = nodeFiles().lock(join(old.ledgerDirectory, LOCK_FILE))
    const making = makeBackup(old, back(), quiet)
    await setTimeout(300)
    cpSync(ledgerDirectory, old.ledgerDirectory, {
      recursive: true,
      filter: (name) => basename(name) !== LOCK_FILE,
    })
    const { size } = await making
    held.release()
    const { report } = await verifyLedgerFolder(ledgerDirectory)
    expect(size).toBe(report.size)
    const lossy = { ...NOTHING, acceptLoss: true }
    expect(await restoreBackup(elsewhere(), back(), lossy, quiet)).toMatchObject({ size })
  },
)

onFiles('a back-up that cannot be made leaves nothing of the gate behind', async () => {
  await gate.running.close()
  const broken = copied('broken')
  rmSync(join(broken.ledgerDirectory, 'tile'), { recursive: true })
  await expect(makeBackup(broken, back(), quiet)).rejects.toMatchObject({ code: 'bad_backup' })
  expect(readdirSync(gate.folder).filter((name) => name.startsWith('back-up'))).toEqual([])
})
