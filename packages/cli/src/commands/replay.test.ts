// The command as a newcomer runs it: the sample of the repository in one line, files written, exit codes kept.

import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { eventsOf, SAMPLE } from '@seconder/replay/made-trail/made-trail'
import type { Report } from '@seconder/replay/report/report'
import { trailFiles } from '@seconder/replay/trail/trail-files'
import { afterAll, expect, test } from 'vitest'
import { exitCodeOf, failOn } from './replay-fail-on.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..', '..')
const SAMPLES = join(ROOT, 'samples', 'trail')
const folder = mkdtempSync(join(tmpdir(), 'seconder-cli-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))

function seconder(...given: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH, NODE_COMPILE_CACHE, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...given], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

test('from a folder of CloudTrail to the event of December and the reviews a week, in one command', async () => {
  const html = join(folder, 'report.html')
  const { code, out } = await seconder('replay', SAMPLES, '--html', html)
  expect(code).toBe(0)
  expect(out).toContain('December would have been asked at this event: it takes 1 of sre')
  expect(out).toMatch(/2025-12-08T09:31:30Z {2}cloudformation:DeleteStack .*stack\/cost-explorer/)
  expect(out).toMatch(/^3 reviews a week/m)
  expect(out.indexOf('What this trail cannot prove')).toBe(0)
  expect(readFileSync(html, 'utf8')).toContain('December would have been asked')
})

test('JSON, from the cache the same; --fail-on ends with 3, a trail that is not there with 1', async () => {
  const first = await seconder('replay', SAMPLES, '--json', '--fail-on', 'recreated')
  const again = await seconder('replay', SAMPLES, '--json', '--no-cache')
  expect([first.code, again.code]).toEqual([3, 0])
  expect(JSON.parse(again.out)).toEqual(JSON.parse(first.out))
  expect(JSON.parse(first.out)).toMatchObject({ events: 1811, recreatedCount: 1, unmapped: 0 })
  const report = JSON.parse(first.out) as Report
  expect(exitCodeOf(report, failOn('reviews-per-week:50'))).toBe(0)
  expect(exitCodeOf(report, failOn('reviews-per-week:2,denied,unmapped'))).toBe(3)
  for (const wrong of ['nonsense', 'denied:3', 'reviews-per-week', 'reviews-per-week:x', '']) {
    expect(() => failOn(wrong)).toThrow('reviews-per-week:N')
  }
  const missing = await seconder('replay', join(folder, 'none'))
  expect(missing.code).toBe(1)
  expect(missing.err).toContain('(trail_unreadable)')
})

test('with a configuration development is told from production', async () => {
  const yaml = join(folder, 'seconder.yaml')
  writeFileSync(
    yaml,
    [
      'upstream: { aws: { credentials: environment } }',
      'environments: [ { name: development, accounts: ["123456789012"] } ]',
      'roles: { deploy: { arn: "arn:aws:iam::123456789012:role/agent-deploy" } }',
    ].join('\n'),
  )
  const { out, err } = await seconder('replay', SAMPLES, '--policy', yaml, '--json')
  expect(err).toBe('')
  const report = JSON.parse(out)
  // A bucket's name tells no account, so a call on one is production still.
  expect(report.environments).toMatchObject([{ name: 'development' }, { name: 'production' }])
  expect(report.recreated[0].deleted).toMatchObject({
    answer: 'allowed',
    environment: 'development',
  })
})

test('--watch reports again when a policy is saved, with what that changes', async () => {
  const policies = join(folder, 'policies')
  cpSync(join(ROOT, 'policies'), policies, { recursive: true })
  const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
  const child = spawn(process.execPath, [
    main,
    'replay',
    SAMPLES,
    '--policy',
    policies,
    '--watch',
    '--no-cache',
  ])
  let out = ''
  let err = ''
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      const look = () => (out + err).includes(words) && resolve()
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      look()
    })
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  try {
    await said('watching the policies')
    const file = join(policies, 'production.cedar')
    writeFileSync(file, 'permit (')
    await said('policy_unparsable')
    writeFileSync(
      file,
      readFileSync(join(ROOT, 'policies', 'production.cedar'), 'utf8').replaceAll(
        '"sre:1"',
        '"any:1"',
      ),
    )
    await said('reviewed by sre:1 -> reviewed by any:1')
  } finally {
    child.kill()
  }
})

test('the sample in the repository is what its seed makes', () => {
  const kept = trailFiles([SAMPLES]).flatMap(({ path }) => {
    const { Records } = JSON.parse(gunzipSync(readFileSync(path)).toString())
    return Records as object[]
  })
  const made = [...eventsOf(SAMPLE)].map(({ text }) => JSON.parse(text) as object)
  expect(kept).toEqual(made)
})
