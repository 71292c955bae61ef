// Verifies, with no code of Seconder: the signature of a ledger's checkpoint, and that the entry INDEX is
// in the tree it signs, by an inclusion proof made from the tiles. Exit code 0 only when both hold.
//   node examples/read-ledger.mjs .seconder/ledger "$(cat .seconder/ledger.vkey)" 0   (or https://HOST/PATH)
// Formats: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-tiles, RFC 6962
import { hash, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [directory = '', vkey = '', indexText] = process.argv.slice(2)
const fetched = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer())
const read = directory.startsWith('http') ? fetched : readFileSync
const sha256 = (...parts) => hash('sha256', Buffer.concat(parts), 'buffer')
const must = (holds, what) => {
  if (!holds) throw new Error(`NOT VERIFIED: ${what}`)
}
// The key is NAME+ID+BASE64(0x01 || 32 bytes of Ed25519); the ID is from a hash of name and key.
const [name, idText, ...rest] = vkey.split('+')
const key = Buffer.from(rest.join('+'), 'base64')
const id = sha256(Buffer.from(`${name}\n`), key).subarray(0, 4)
must(key.length === 33 && key[0] === 1 && idText === id.toString('hex'), 'not a verifier key')
const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.subarray(1).toString('base64url') }
// The checkpoint: origin, size and root, a blank line, then `— NAME BASE64(ID || signature)` for each key.
const note = (await read(`${directory}/checkpoint`)).toString()
const text = note.slice(0, note.lastIndexOf('\n\n') + 1)
const lines = note.split('\n').filter((line) => line.startsWith(`— ${name} `))
const signatures = lines.map((line) => Buffer.from(line.split(' ')[2], 'base64'))
const ours = signatures.find((bytes) => bytes.subarray(0, 4).equals(id)) ?? Buffer.alloc(4)
must(verify(null, Buffer.from(text), { key: jwk, format: 'jwk' }, ours.subarray(4)), 'not signed')
const [origin, sizeText, root] = text.split('\n')
const [size, index] = [Number(sizeText), Number(indexText)]
must(origin === name && Number.isInteger(index) && index >= 0 && index < size, 'no such entry')
// A tile holds 256 hashes of its level, or 256 entries; the last of a level holds fewer, and says how many.
const tile = (level, number) => {
  const width = Math.min(256, Math.floor(size / 256 ** (Number(level) || 0)) - number * 256)
  const digits = String(number).padStart(3 * Math.ceil(String(number).length / 3), '0')
  const path = `tile/${level}/${digits.replace(/...(?=.)/g, 'x$&/')}`
  return read(`${directory}/${path}${width < 256 ? `.p/${width}` : ''}`)
}
let bundle = await tile('entries', Math.floor(index / 256))
for (let skip = index % 256; skip > 0; skip--) bundle = bundle.subarray(2 + bundle.readUInt16BE())
const entry = bundle.subarray(2, 2 + bundle.readUInt16BE())
// The proof: at each split of the tree (RFC 6962, 2.1) the hash of the half that the entry is not in.
const node = (left, right) => sha256(Buffer.of(1), left, right)
const middleOf = (start, end) => start + 2 ** (Math.ceil(Math.log2(end - start)) - 1)
const hashOf = async (start, end, middle = middleOf(start, end)) => {
  const level = [0, 1, 2, 3, 4, 5, 6].find((each) => 256 ** each === end - start)
  if (level === undefined) return node(await hashOf(start, middle), await hashOf(middle, end))
  const number = start / (end - start)
  const hashes = await tile(level, Math.floor(number / 256))
  return hashes.subarray((number % 256) * 32).subarray(0, 32)
}
const climb = async (start, end, middle = middleOf(start, end)) => {
  if (end - start === 1) return sha256(Buffer.of(0), entry)
  if (index < middle) return node(await climb(start, middle), await hashOf(middle, end))
  return node(await hashOf(start, middle), await climb(middle, end))
}
const top = (await climb(0, size)).toString('base64')
must(top === root, 'the entry does not lead to the signed root')
console.log(`verified: entry ${index} of the ${size} under root ${root}\n${entry}`)
