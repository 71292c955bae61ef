// Writes a ledger of entries as a gate writes them: mostly reads, and in each thousand one effect with its
// request, review, grant, intent and outcome, every act really signed. What verifies it checks every rule.
import { generateKeyPairSync, hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KeySigner, keySigner } from '@seconder/cli/signing'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { type Ledger, openLedger } from '@seconder/ledger/ledger'

/** Entries of one effect, and how many reads come between two. */
const CHAIN = 5
const PERIOD = 1_000
const ROLE = 'arn:aws:iam::123456789012:role/agent-deploy'
const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/'
const BEGAN_MS = Date.parse('2026-01-01T00:00:00.000Z')
/** Appends under way at once. */
const AT_ONCE = 8_192

interface Writing {
  readonly ledger: Ledger
  readonly alice: KeySigner
  readonly bob: KeySigner
  gate: string
}

/** Writes `count` entries below `folder`; `ledger` in it is the log, `ledger.vkey` its key. */
export async function writeGateLikeLog(
  folder: string,
  count: number,
  onProgress: (done: number) => void,
): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const directory = join(folder, 'ledger')
  const ledger = await openLedger({ directory, origin: 'bench.invalid/log', signer: privateKey })
  writeFileSync(join(folder, 'ledger.vkey'), `${ledger.verifierKey}\n`)
  const [alice, bob] = [await person(folder, 'alice'), await person(folder, 'bob')]
  const writing: Writing = { ledger, alice, bob, gate: '' }
  await found(writing)
  let waiting: Promise<unknown>[] = []
  for (let index = ledger.size; index < count; index += 1) {
    const place = index % PERIOD
    if (place === 0 && count - index > CHAIN) {
      for (const entry of await chain(writing, index)) waiting.push(append(ledger, entry))
      index += CHAIN - 1
    } else waiting.push(append(ledger, readEntry(index)))
    if (waiting.length < AT_ONCE) continue
    await Promise.all(waiting)
    waiting = []
    onProgress(index)
  }
  await Promise.all(waiting)
  await ledger.close()
}

async function person(folder: string, name: string): Promise<KeySigner> {
  const path = join(folder, name)
  await generateEd25519KeyFile(path, name)
  return keySigner(path)
}

function append(ledger: Ledger, entry: object): Promise<unknown> {
  return ledger.append(Buffer.from(JSON.stringify(entry)))
}

const hex = (text: string) => hash('sha256', text)
const at = (index: number) => new Date(BEGAN_MS + index).toISOString()
const SESSION = `s-${'0'.repeat(26)}`

async function found(writing: Writing): Promise<void> {
  const { ledger, alice, bob } = writing
  const people = [
    { keys: [alice.publicKey], name: 'alice', teams: ['sre'] },
    { keys: [bob.publicKey], name: 'bob', teams: ['sre'] },
  ]
  await append(ledger, {
    at: at(0),
    ledgerKey: ledger.verifierKey,
    nonce: hex('gate').slice(32),
    people,
    type: 'gate-created',
  })
  writing.gate = Buffer.from(ledger.firstEntryHash() ?? []).toString('hex')
  const content = await ledger.putPayload(Buffer.from('{}'))
  await append(ledger, {
    acts: [],
    at: at(1),
    content,
    epoch: 1,
    type: 'epoch-activated',
    version: content,
  })
  const opened = { agent: 'bench', operator: 'alice', role: 'deploy' }
  const type = 'seconder-session@v1'
  const act = await alice.sign({ ...opened, gate: writing.gate, nonce: 'opened', type }, type)
  const session = { act, ...opened, at: at(2), session: SESSION, type: 'session-opened' }
  await append(ledger, session)
}

function facts(index: number, operation: string, effect: string) {
  return {
    agent: 'bench',
    at: at(index),
    digest: hex(`digest ${index - (index % PERIOD)} ${operation}`),
    effects: [effect],
    environments: ['production'],
    epoch: 1,
    operation,
    operator: 'alice',
    resources: [`${TABLE}t${index % 97}`],
    role: ROLE,
    session: SESSION,
  }
}

function readEntry(index: number): object {
  const policies = ['production-look']
  return { ...facts(index, 'dynamodb:GetItem', 'read'), policies, type: 'read' }
}

async function chain({ ledger, bob, gate }: Writing, index: number): Promise<object[]> {
  const asked = { ...facts(index, 'dynamodb:DeleteTable', 'destroy'), policies: ['destroy'] }
  const request = `r-${String(index).padStart(26, '0')}`
  const grant = request.replace('r-', 'g-')
  const effect = request.replace('r-', 'e-')
  const document = await ledger.putPayload(Buffer.from(`{"table":${index % 97}}`))
  const type = 'seconder-review@v1'
  const statement = {
    checkpoint: { root: '', size: 0 },
    comment: '',
    digest: asked.digest,
    epoch: 1,
    expiresAt: at(index + 60_000),
    gate,
    nonce: `review ${index}`,
    request,
    reviewer: 'bob',
    shown: document,
    type,
    verdict: 'approve',
  }
  const act = await bob.sign(statement, type)
  const { digest } = asked
  const expiresAt = at(index + 60_000)
  const reviewed = { request, reviewer: 'bob', strength: 'software', verdict: 'approve' }
  const signature = hex(`signature ${index}`)
  const requirement = ['sre:1']
  const begun = { grant, observed: null, request, signature }
  const outcome = { result: 'succeeded', status: 200, upstreamRequestId: `UP-${index}` }
  return [
    { ...asked, document, expiresAt, request, requirement, role: 'deploy', type: 'request-opened' },
    { act, at: at(index + 1), ...reviewed, type: 'review' },
    {
      at: at(index + 2),
      digest,
      expiresAt,
      grant,
      request,
      reviewers: ['bob'],
      type: 'grant-made',
    },
    { ...asked, ...begun, at: at(index + 3), effect, type: 'intent' },
    { at: at(index + 4), effect, outcome, type: 'outcome' },
  ]
}
