// Makes the pictures of docs/screens anew: runs the browser tests of the console, takes the pictures that the
// docs show, and writes them with few colours, so that they stay small. Needs Chromium, as those tests do.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'docs', 'screens')

/** Of every page the light one; of those that a reviewer answers, the dark one and the phone. */
const ANSWERED = ['inbox', 'request', 'break-glass-due']
const isKept = (name) =>
  name.endsWith('-light-1200.png') ||
  ANSWERED.some((page) => name === `${page}-dark-1200.png` || name === `${page}-dark-390.png`)

/** Those that look at pages: test/console/audit.ts. */
const FILES = readdirSync(join(root, 'test', 'console'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/console/${name}`)
  .filter((file) => readFileSync(join(root, file), 'utf8').includes("from './audit.ts'"))

const COLOURS = 128
/** Longer pages are cut there: the rest is more of the same. */
const HEIGHT_MAX = 1_500
const BYTES_MAX = 1_500_000

const shots = mkdtempSync(join(tmpdir(), 'seconder-screens-'))
try {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const ran = spawnSync(process.execPath, [vitest, 'run', ...FILES], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SECONDER_SHOTS: shots },
  })
  if (ran.status !== 0) process.exit(ran.status ?? 1)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  let bytes = 0
  for (const name of readdirSync(shots).filter(isKept).sort()) {
    const png = smaller(readFileSync(join(shots, name)))
    writeFileSync(join(target, name), png)
    bytes += png.length
    process.stdout.write(`${name.padEnd(36)} ${Math.round(png.length / 1_000)} kB\n`)
  }
  process.stdout.write(`${Math.round(bytes / 1_000)} kB in all\n`)
  if (bytes > BYTES_MAX) {
    process.stderr.write(
      `They are over ${BYTES_MAX} bytes: keep fewer of them, or fewer colours.\n`,
    )
    process.exitCode = 1
  }
} finally {
  rmSync(shots, { recursive: true, force: true })
}

/** The same picture in a palette. Source: https://www.w3.org/TR/png-3/ */
function smaller(png) {
  const { width, height, channels, pixels } = decoded(png)
  const shown = Math.min(height, HEIGHT_MAX)
  const colours = new Uint32Array(width * shown)
  const count = new Map()
  for (let at = 0; at < colours.length; at++) {
    const from = at * channels
    const colour = (pixels[from] << 16) | (pixels[from + 1] << 8) | pixels[from + 2]
    colours[at] = colour
    count.set(colour, (count.get(colour) ?? 0) + 1)
  }
  const palette = paletteOf(count)
  const nearest = new Map()
  const rows = Buffer.alloc((width + 1) * shown)
  for (let at = 0; at < colours.length; at++) {
    const colour = colours[at]
    let index = nearest.get(colour)
    if (index === undefined) {
      index = nearestTo(colour, palette)
      nearest.set(colour, index)
    }
    rows[at + Math.floor(at / width) + 1] = index
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(shown, 4)
  head.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', head),
    chunk('PLTE', Buffer.from(palette.flatMap(parts))),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The most frequent colours that are not almost one that is there already. */
function paletteOf(count) {
  const palette = []
  for (const [colour] of [...count].sort((a, b) => b[1] - a[1])) {
    if (palette.length >= COLOURS) break
    if (palette.every((one) => distance(one, colour) > 40)) palette.push(colour)
  }
  return palette
}

function nearestTo(colour, palette) {
  let best = 0
  for (let index = 1; index < palette.length; index++) {
    if (distance(palette[index], colour) < distance(palette[best], colour)) best = index
  }
  return best
}

function distance(left, right) {
  const [a, b] = [parts(left), parts(right)]
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
}

function parts(colour) {
  return [colour >> 16, (colour >> 8) & 255, colour & 255]
}

/** 8 bits a channel, not interlaced: what Chromium writes. */
function decoded(png) {
  const data = []
  let head = png
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') head = body
    if (type === 'IDAT') data.push(body)
    at += length + 12
  }
  const [width, height, channels] = [
    head.readUInt32BE(0),
    head.readUInt32BE(4),
    head[9] === 6 ? 4 : 3,
  ]
  if (head[8] !== 8 || ![2, 6].includes(head[9]) || head[12] !== 0)
    throw new Error('another kind of PNG')
  return {
    width,
    height,
    channels,
    pixels: unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels),
  }
}

function unfiltered(rows, stride, channels) {
  const pixels = Buffer.alloc((rows.length / (stride + 1)) * stride)
  for (let row = 0; row * (stride + 1) < rows.length; row++) {
    const filter = rows[row * (stride + 1)]
    for (let at = 0; at < stride; at++) {
      const to = row * stride + at
      const left = at >= channels ? pixels[to - channels] : 0
      const up = row > 0 ? pixels[to - stride] : 0
      const corner = row > 0 && at >= channels ? pixels[to - stride - channels] : 0
      const added = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]
      pixels[to] = rows[row * (stride + 1) + 1 + at] + added
    }
  }
  return pixels
}

function paeth(left, up, corner) {
  const [byLeft, byUp, byCorner] = [up - corner, left - corner, left + up - 2 * corner].map(
    Math.abs,
  )
  if (byLeft <= byUp && byLeft <= byCorner) return left
  return byUp <= byCorner ? up : corner
}

function chunk(type, body) {
  const text = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const framed = Buffer.alloc(8 + text.length)
  framed.writeUInt32BE(body.length, 0)
  text.copy(framed, 4)
  framed.writeUInt32BE(crc32(text), 4 + text.length)
  return framed
}
