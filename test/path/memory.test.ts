// A gate as its own process, sixteen times the memory limit of a body through it in each direction: what it
// needs of memory stays far below what passes. Linux says how much a process ever had; elsewhere it is skipped.
import { existsSync } from 'node:fs'
import http from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GateProcess } from '../fakes/gate-process.ts'
import {
  patternObject,
  patternSha256,
  type S3Upstream,
  startS3Upstream,
} from '../fakes/s3-upstream.ts'
import { idIn } from './acts.ts'
import type { Keys } from './harness.ts'
import { uploads } from './large.ts'
import { rawCall, signed } from './wire.ts'

const MIB = 1024 * 1024
/** 2 GB: `SECONDER_UPLOAD_MIB=2048 npx vitest run test/path/memory.test.ts`. */
const SIZE = Number(process.env['SECONDER_UPLOAD_MIB'] ?? 256) * MIB
/** What a gate may grow by: buffers of sockets and streams, and what is not collected yet. */
const GROWTH_MAX = 128 * MIB

const isLinux = existsSync('/proc/self/status')
if (!isLinux) console.warn('skipped: no /proc, so nobody says how much memory the gate had')

let upstream: S3Upstream
let gate: GateProcess
let keys: Keys

beforeAll(async () => {
  upstream = await startS3Upstream()
  upstream.objects.set('bucket-b/download', patternObject(SIZE))
  gate = await GateProcess.create(upstream.url)
  await gate.start()
  keys = await gate.open('alice')
  // What a first call loads is no part of what a large one needs.
  await rawCall(keys, { method: 'PUT', target: '/bucket-b/first', service: 's3', body: 'x' })
})

afterAll(async () => {
  await gate.remove()
  await upstream.close()
})

async function grownBy(run: () => Promise<void>): Promise<number> {
  const before = gate.peakBytes()
  await run()
  const grown = gate.peakBytes() - before
  process.stdout.write(
    `memory test: ${SIZE / MIB} MiB, the gate grew by ${Math.round(grown / MIB)} MiB\n`,
  )
  return grown
}

test.runIf(isLinux)(
  `an upload of ${SIZE / MIB} MiB, held, reviewed and sent, takes no memory to speak of`,
  async () => {
    const upload = { size: SIZE, form: 'unsigned trailer', target: '/bucket-b/upload' } as const
    const grown = await grownBy(async () => {
      await gate.approve('bob', idIn(await uploads(keys, upload)))
      expect((await uploads(keys, upload)).status).toBe(200)
    })
    expect(upstream.objects.get('bucket-b/upload')?.sha256).toBe(patternSha256(SIZE))
    expect(grown).toBeLessThan(GROWTH_MAX)
  },
)

test.runIf(isLinux)('nor does a download of as much', async () => {
  const request = signed(keys, { method: 'GET', target: '/bucket-b/download', service: 's3' })
  const { hostname, port } = new URL(keys.endpoint)
  const headers = request.headers.flat() as unknown as http.OutgoingHttpHeaders
  let bytes = 0
  const grown = await grownBy(async () => {
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = { host: hostname, port, path: request.target, headers, setHost: false }
      http.get(options, resolve).on('error', reject)
    })
    for await (const piece of answer as AsyncIterable<Buffer>) bytes += piece.length
  })
  expect(bytes).toBe(SIZE)
  expect(grown).toBeLessThan(GROWTH_MAX)
})
