import { createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { nodePrimitives, nodeSigner } from './node.ts'
import { ed25519Verifier, NOTE_SIGNATURES_MAX, openNote, parseNote, signNote } from './note.ts'
import { webPrimitives } from './web.ts'

// The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note (BSD-3-Clause), key and note.
const NEUMANN_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const NEUMANN_SEED = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const NEUMANN_TEXT =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n"
const NEUMANN_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p' +
  'ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'

// A checkpoint that Go's checksum database signed; key and note as in transparency-dev/formats.
const SUMDB_VKEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
const SUMDB_NOTE =
  'go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n' +
  '— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFI' +
  'Gu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n'

// The examples in the text of https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint.
const QUASIMODO_NOTE =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
  '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC' +
  '+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n'
const SOFA_TEXT =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

function neumannSigner() {
  const seed = Buffer.from(NEUMANN_SEED, 'base64').subarray(1)
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  return nodeSigner('PeterNeumann', createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

function refused(code: string) {
  return expect.objectContaining({ code })
}

test('the note of the reference implementation is made from its key, byte for byte', () => {
  const signer = neumannSigner()
  expect(signer.verifierKey).toBe(NEUMANN_VKEY)
  expect(signNote(NEUMANN_TEXT, [signer])).toBe(`${NEUMANN_TEXT}\n${NEUMANN_LINE}`)
})

for (const [name, primitives] of [
  ['node:crypto', nodePrimitives],
  ['WebCrypto', webPrimitives],
] as const) {
  test(`notes of other implementations open with their keys (${name})`, async () => {
    const neumann = ed25519Verifier(NEUMANN_VKEY, primitives)
    const note = await openNote(`${NEUMANN_TEXT}\n${NEUMANN_LINE}`, [neumann])
    expect(note.text).toBe(NEUMANN_TEXT)
    const sumdb = ed25519Verifier(SUMDB_VKEY, primitives)
    const checkpoint = await openCheckpoint(SUMDB_NOTE, 'go.sum database tree', [sumdb])
    expect(checkpoint.size).toBe(6_476_701)
  })

  test(`no character of a note can change (${name})`, async () => {
    const sumdb = ed25519Verifier(SUMDB_VKEY, primitives)
    for (let at = 0; at < SUMDB_NOTE.length; at++) {
      const code = SUMDB_NOTE.charCodeAt(at) ^ 1
      const changed = SUMDB_NOTE.slice(0, at) + String.fromCharCode(code) + SUMDB_NOTE.slice(at + 1)
      await expect(openCheckpoint(changed, 'go.sum database tree', [sumdb])).rejects.toThrow()
    }
  })
}

test('the text of a note may hold empty lines; the last one separates the signatures', () => {
  const note = parseNote(QUASIMODO_NOTE)
  expect(note.text.endsWith('ed è subito sera.\n')).toBe(true)
  expect(note.signatures.map((signature) => signature.name)).toEqual([
    'quasimodo.example/salvatore',
  ])
})

test('signatures of unknown keys are ignored, even when they share the name', async () => {
  const sumdb = ed25519Verifier(SUMDB_VKEY, nodePrimitives)
  const neumann = ed25519Verifier(NEUMANN_VKEY, nodePrimitives)
  const witnessed = `${SUMDB_NOTE}${NEUMANN_LINE.replace('PeterNeumann', 'sum.golang.org')}`
  expect((await openNote(witnessed, [sumdb])).signatures).toHaveLength(1)
  await expect(openNote(SUMDB_NOTE, [neumann])).rejects.toThrow(refused('note_unverified'))
})

test('a bad signature of a known key rejects the note, beside a good one of another', async () => {
  const known = [NEUMANN_VKEY, SUMDB_VKEY].map((vkey) => ed25519Verifier(vkey, nodePrimitives))
  await expect(openNote(`${SUMDB_NOTE}${NEUMANN_LINE}`, known)).rejects.toThrow(
    refused('note_unverified'),
  )
})

test('a note of 100 signatures opens, and one of 101 is refused', async () => {
  const sumdb = ed25519Verifier(SUMDB_VKEY, nodePrimitives)
  const full = SUMDB_NOTE + NEUMANN_LINE.repeat(NOTE_SIGNATURES_MAX - 1)
  expect((await openNote(full, [sumdb])).signatures).toHaveLength(1)
  expect(() => parseNote(full + NEUMANN_LINE)).toThrow(refused('note_malformed'))
})

test('malformed notes are refused', () => {
  const line = NEUMANN_LINE
  for (const note of [
    '',
    NEUMANN_TEXT,
    NEUMANN_TEXT + line,
    `${NEUMANN_TEXT}\n`,
    `${NEUMANN_TEXT}\n${line.slice(0, -1)}`,
    `${NEUMANN_TEXT}\n${line.replace('—', '-')}`,
    `${NEUMANN_TEXT}\n${line.replace('— ', '—  ')}`,
    `${NEUMANN_TEXT}\n${line.replace('=', '')}`,
    `${NEUMANN_TEXT}\n— a+b AAAAAAA=\n`,
    `${NEUMANN_TEXT}\n— a AAAAAA==\n`,
    `${NEUMANN_TEXT}\r\n\n${line}`,
  ]) {
    expect(() => parseNote(note), JSON.stringify(note)).toThrow(refused('note_malformed'))
  }
  expect(() => signNote('no newline', [])).toThrow(refused('note_malformed'))
})

test('a verifier key is refused when its id, type, length or name is wrong', () => {
  const [name, id, key = ''] = NEUMANN_VKEY.split('+')
  for (const vkey of [
    '',
    `${name}+${id}`,
    `${name}+c74f20a4+${key}`,
    `${name}+C74F20A3+${key}`,
    `Other+${id}+${key}`,
    `${name}+${id}+${key.replace(/^AR/, 'AB')}`,
    `${name}+${id}+${key.slice(0, -4)}`,
    `${name}+${id}+${key}=`,
    `Peter Neumann+${id}+${key}`,
  ]) {
    expect(() => ed25519Verifier(vkey, nodePrimitives), vkey).toThrow(refused('key_invalid'))
  }
})

test('a checkpoint has one spelling: numbers, base64 and lines that are not it are refused', () => {
  expect(parseCheckpoint(SOFA_TEXT)).toMatchObject({ size: 20_852_163, extensions: [] })
  expect(parseCheckpoint(`${SOFA_TEXT}extension\n`).extensions).toEqual(['extension'])
  expect(parseCheckpoint(SOFA_TEXT.replace('20852163', '0')).size).toBe(0)
  expect(parseCheckpoint(SOFA_TEXT.replace('20852163', '9007199254740991')).size).toBe(2 ** 53 - 1)
  for (const text of [
    '',
    SOFA_TEXT.slice(0, -1),
    SOFA_TEXT.replace('20852163', '020852163'),
    SOFA_TEXT.replace('20852163', '+20852163'),
    SOFA_TEXT.replace('20852163', '-1'),
    SOFA_TEXT.replace('20852163', '1e3'),
    SOFA_TEXT.replace('20852163', ' 1'),
    SOFA_TEXT.replace('20852163', ''),
    SOFA_TEXT.replace('20852163', '9007199254740992'),
    SOFA_TEXT.replace('q2I=', 'q2J='),
    SOFA_TEXT.replace('q2I=', 'q2I'),
    SOFA_TEXT.replace('CsUY', ''),
    SOFA_TEXT.replace('example.com/behind-the-sofa', ''),
    `${SOFA_TEXT}\n`,
  ]) {
    expect(() => parseCheckpoint(text), JSON.stringify(text)).toThrow(
      refused('checkpoint_malformed'),
    )
  }
})
