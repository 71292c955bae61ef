import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crashingFiles } from '../test/crashing-files.ts'
import { ORIGIN, signer, temporaryDirectory, verifierKey } from '../test/temporary-ledger.ts'
import { WitnessedLog } from '../test/witnessed-log.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import {
  cosignaturesOf,
  cosignatureVerifier,
  cosignedMessage,
  parseCosignature,
} from './cosignature.ts'
import { nodePrimitives, nodeSigner } from './node.ts'
import { ed25519Verifier, openNote, parseNote } from './note.ts'
import { Witness } from './witness.ts'
import {
  formatAddCheckpoint,
  parseAddCheckpoint,
  WITNESS_PROOF_LINES_MAX,
} from './witness-request.ts'

const NAME = 'witness.example/w1'
const AT_SECONDS = 1_679_315_147
const { privateKey: key } = generateKeyPairSync('ed25519')
const log = new WitnessedLog()

// The example of https://c2sp.org/tlog-cosignature: the note with its cosignature, and the bytes signed.
const SOFA_TEXT =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const SOFA_COSIGNATURE =
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'

async function witnessIn(directory: string, ledgers = [verifierKey]) {
  const nowMs = () => AT_SECONDS * 1000 + 999
  return await Witness.open({ directory, name: NAME, key, ledgers, nowMs })
}

test('the cosignature of the specification parses to its time, and its message is the one it prints', () => {
  const { signatures } = parseNote(`${SOFA_TEXT}\n${SOFA_COSIGNATURE}`)
  expect(parseCosignature(signatures[0]?.signature ?? new Uint8Array())?.atSeconds).toBe(AT_SECONDS)
  expect(Buffer.from(cosignedMessage(SOFA_TEXT, AT_SECONDS)).toString()).toBe(
    `cosignature/v1\ntime 1679315147\n${SOFA_TEXT}`,
  )
  expect(parseCosignature(new Uint8Array(71))).toBeNull()
  expect(parseCosignature(new Uint8Array(72).fill(255))).toBeNull()
})

test('the request of the specification parses, and is made again byte for byte', () => {
  const hashes = ['PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=']
  const body = `old 20852014\n${hashes.join('\n')}\n\n${SOFA_TEXT}\n${SOFA_COSIGNATURE}`
  const parsed = parseAddCheckpoint(body)
  expect(parsed).toMatchObject({
    oldSize: 20852014,
    checkpoint: `${SOFA_TEXT}\n${SOFA_COSIGNATURE}`,
  })
  expect(parsed.proof.map(toBase64)).toEqual(hashes)
  expect(formatAddCheckpoint(parsed)).toBe(body)
})

test('a witness cosigns the first checkpoint and each one that goes on from it, with its time', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  const verifier = cosignatureVerifier(witness.verifierKey, nodePrimitives)
  for (const [older, newer] of [
    [0, 5],
    [5, 5],
    [5, 6],
    [6, 300],
  ] as const) {
    const { status, body } = await witness.add(await log.body(older, newer))
    expect(status).toBe(200)
    const note = log.checkpoint(newer) + body
    expect(await cosignaturesOf(note, [verifier])).toEqual([
      { name: NAME, atSeconds: AT_SECONDS, line: body },
    ])
    // By node:crypto alone: id, time, signature over the two lines and the text.
    const line = fromBase64(body.trim().split(' ')[2] ?? '') ?? new Uint8Array()
    const message = Buffer.from(`cosignature/v1\ntime ${AT_SECONDS}\n${parseNote(note).text}`)
    expect(verify(null, message, createPublicKey(key), line.subarray(12))).toBe(true)
    // The note opens under both keys: unknown ones are ignored, known ones must verify.
    const both = [ed25519Verifier(verifierKey, nodePrimitives), verifier]
    expect((await openNote(note, both)).signatures).toHaveLength(2)
  }
  await witness.close()
})

test('H13: a rollback to an earlier checkpoint, validly signed, is refused with the size it saw', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  expect((await witness.add(await log.body(0, 300))).status).toBe(200)
  const seen = { status: 409, contentType: 'text/x.tlog.size', body: '300\n' }
  expect(await witness.add(await log.body(0, 200))).toEqual(seen)
  expect(await witness.add(await log.body(200, 200))).toEqual(seen)
  expect(await witness.add(await log.body(200, 400))).toEqual(seen)
  expect((await witness.add(await log.body(300, 200))).status).toBe(400)
  expect((await witness.add(await log.body(300, 400))).status).toBe(200)
  await witness.close()
})

test('H13: a fork, validly signed, is refused whatever proof comes with it', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  await witness.add(await log.body(0, 300))
  const fork = new WitnessedLog(299)
  expect((await witness.add(await fork.body(300, 400))).status).toBe(422)
  expect(await witness.add(await fork.body(300, 300))).toMatchObject({ status: 409, body: '300\n' })
  const proof = await log.proof(300, 400)
  const mixed = formatAddCheckpoint({ oldSize: 300, proof, checkpoint: fork.checkpoint(400) })
  expect((await witness.add(mixed)).status).toBe(422)
  for (let at = 0; at < proof.length; at++) {
    const bent = proof.map((each, index) => (index === at ? each.map((byte) => byte ^ 1) : each))
    const body = formatAddCheckpoint({ oldSize: 300, proof: bent, checkpoint: log.checkpoint(400) })
    expect((await witness.add(body)).status).toBe(422)
  }
  expect((await witness.add(await log.body(300, 400))).status).toBe(200)
  await witness.close()
})

test('H13: a witness that was restarted remembers, and another process cannot open its memory', async () => {
  using directory = temporaryDirectory()
  const before = await witnessIn(directory.path)
  await before.add(await log.body(0, 300))
  await expect(witnessIn(directory.path)).rejects.toMatchObject({ code: 'ledger_locked' })
  await before.close()
  const after = await witnessIn(directory.path)
  expect(await after.add(await log.body(0, 299))).toMatchObject({ status: 409, body: '300\n' })
  expect((await after.add(await new WitnessedLog(10).body(300, 301))).status).toBe(422)
  expect((await after.add(await log.body(300, 301))).status).toBe(200)
  await after.close()
})

test('of two requests from one size at once, one is cosigned and the other is told the new size', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  const bodies = await Promise.all([40, 50, 45].map((size) => log.body(0, size)))
  const answers = await Promise.all(bodies.map((body) => witness.add(body)))
  expect(answers.map(({ status }) => status)).toEqual([200, 409, 409])
  expect(answers[1]?.body).toBe('40\n')
  await witness.close()
})

test('a crash at any step of remembering cosigns nothing that is not remembered', async () => {
  for (let crashAt = 1; ; crashAt++) {
    using directory = temporaryDirectory()
    const files = crashingFiles(crashAt)
    const options = { directory: directory.path, name: NAME, key, ledgers: [verifierKey] }
    const cosigned: number[] = []
    try {
      const witness = await Witness.open(options, files)
      for (const [older, newer] of [
        [0, 5],
        [5, 9],
      ] as const) {
        if ((await witness.add(await log.body(older, newer))).status === 200) cosigned.push(newer)
      }
    } catch (error) {
      expect(files.isCrashed, String(error)).toBe(true)
    }
    files.releaseLocks()
    const again = await witnessIn(directory.path)
    const { status, body } = await again.add(await log.body(0, 1))
    const remembered = status === 200 ? 0 : Number(body)
    expect(remembered).toBeGreaterThanOrEqual(cosigned.at(-1) ?? 0)
    await again.close()
    if (!files.isCrashed) break
  }
})

test('what it remembers and cannot read cosigns nothing', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  await witness.add(await log.body(0, 5))
  const [memory = ''] = readdirSync(directory.path).filter((name) => /^[0-9a-f]{64}$/.test(name))
  writeFileSync(join(directory.path, memory), 'nothing')
  await expect(witness.add(await log.body(5, 6))).rejects.toMatchObject({ code: 'ledger_corrupt' })
  await witness.close()
})

test('another key, another ledger and what is no request are refused, each by its number', async () => {
  using directory = temporaryDirectory()
  const other = nodeSigner('seconder.example/other', signer).verifierKey
  const forged = createPrivateKey(
    generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
  )
  const watchesOther = await witnessIn(directory.path, [other])
  expect((await watchesOther.add(await log.body(0, 5))).status).toBe(404)
  await watchesOther.close()
  const wrongKey = await witnessIn(directory.path, [nodeSigner(ORIGIN, forged).verifierKey])
  expect((await wrongKey.add(await log.body(0, 5))).status).toBe(403)
  await wrongKey.close()
  const witness = await witnessIn(directory.path)
  const body = await log.body(0, 5)
  const lines = `${'A'.repeat(43)}=\n`.repeat(WITNESS_PROOF_LINES_MAX)
  for (const [text, status] of [
    ['', 400],
    ['old 0\n', 400],
    [body.replace('old 0', 'old 00'), 400],
    [body.replace('old 0', 'old -1'), 400],
    [body.replace('\n\n', '\nx\n\n'), 400],
    [body.replace('\n\n', `\n${lines}\n`), 422],
    [body.replace('\n\n', `\n${lines}${'A'.repeat(43)}=\n\n`), 400],
    [body.replace('\n5\n', '\n6\n'), 403],
    [body.replace(/\n— .*\n$/, '\n'), 400],
    [body.slice(0, -1), 400],
  ] as const) {
    expect((await witness.add(text)).status, text.slice(0, 40)).toBe(status)
  }
  expect((await witness.add(body)).status).toBe(200)
  await witness.close()
})

test('a key of a ledger is no key of a witness, nor one with another id', async () => {
  using directory = temporaryDirectory()
  const witness = await witnessIn(directory.path)
  const vkey = witness.verifierKey
  await witness.close()
  for (const wrong of [verifierKey, vkey.replace('w1+', 'w2+'), vkey.slice(0, -4), '', 'a+b+c']) {
    expect(() => cosignatureVerifier(wrong, nodePrimitives)).toThrowError(
      expect.objectContaining({ code: 'key_invalid' }),
    )
  }
})
