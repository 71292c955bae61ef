// C2: what another user could do is judged from owners and mode bits. Each breach has a shut twin; the
// expected values are the rules of path_resolution(7), and where this runs as root, what the kernel says.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Place } from './places.ts'
import { ANYBODY, breaches, requireWall, somebody } from './reach.ts'

const NOBODY = 65_534
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-wall-'))
  chmodSync(folder, 0o755)
  file = join(folder, 'inner', 'thing')
  mkdirSync(join(folder, 'inner'))
  writeFileSync(file, 'x')
  chmodSync(join(folder, 'inner'), 0o755)
  chmodSync(file, 0o600)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const place = (rule: Place['rule'], path = file): Place => ({ what: 'the thing', path, rule })
const found = (rule: Place['rule'], path = file) =>
  breaches([place(rule, path)], ANYBODY).map(({ can, at }) => `${can} ${at.slice(folder.length)}`)

test('C2 a file of its owner alone is reached by nobody else', () => {
  expect(found('secret')).toEqual([])
  expect(found('unchanged')).toEqual([])
})

test('C2 a secret that others may read is a breach; what only must not change is none', () => {
  chmodSync(file, 0o604)
  expect(found('secret')).toEqual(['read /inner/thing'])
  expect(found('unchanged')).toEqual([])
})

test('C2 a folder that others may not enter shuts in what is below it', () => {
  chmodSync(file, 0o666)
  expect(found('secret')).toEqual(['change /inner/thing'])
  chmodSync(join(folder, 'inner'), 0o700)
  expect(found('secret')).toEqual([])
})

test('C2 who may write a folder on the way may replace what is in it', () => {
  chmodSync(join(folder, 'inner'), 0o777)
  expect(found('unchanged')).toEqual(['change /inner'])
  chmodSync(join(folder, 'inner'), 0o755)
  chmodSync(folder, 0o777)
  expect(found('unchanged')).toEqual(['change '])
})

test('C2 in a sticky folder others may not move a thing away, but may make one that is missing', () => {
  chmodSync(join(folder, 'inner'), 0o1777)
  expect(found('unchanged')).toEqual([])
  expect(found('unchanged', join(folder, 'inner', 'missing'))).toEqual(['change /inner'])
})

test('C2 a folder is judged with what is in it', () => {
  chmodSync(file, 0o602)
  expect(found('unchanged', join(folder, 'inner'))).toEqual(['change /inner/thing'])
})

test('C2 a link is judged by where it lies and by where it leads', () => {
  const link = join(folder, 'link')
  symlinkSync(file, link)
  expect(found('secret', link)).toEqual([])
  chmodSync(file, 0o644)
  expect(found('secret', link)).toEqual(['read /inner/thing'])
})

test('C2 a member of the group has the rights of the group, one of whom no group is known any', () => {
  chmodSync(file, 0o640)
  const gid = process.getgid?.() ?? 0
  const of = (groups: ReadonlySet<number> | null) =>
    breaches([place('secret')], { uid: NOBODY, groups }).length
  expect(of(new Set([gid]))).toBe(1)
  expect(of(new Set([gid + 1]))).toBe(0)
  expect(of(null)).toBe(1)
})

test('groups are those of the files of the host', () => {
  const files = { passwd: join(folder, 'passwd'), group: join(folder, 'group') }
  writeFileSync(files.passwd, 'root:x:0:0::/root:/bin/sh\nkiro:x:1001:1001::/home/kiro:/bin/sh\n')
  writeFileSync(files.group, 'kiro:x:1001:\ndocker:x:998:ana,kiro\nwheel:x:10:ana\n')
  expect(somebody(1001, files)).toEqual({ uid: 1001, groups: new Set([1001, 998]) })
  expect(somebody(1002, files)).toEqual({ uid: 1002, groups: null })
})

test('the first breach is named, with what to do', () => {
  chmodSync(file, 0o644)
  expect(() => requireWall([place('secret'), place('secret')], ANYBODY)).toThrow(
    expect.objectContaining({
      code: 'wall_open',
      message: `any user of this host could read the thing (\`${file}\`), and 1 more like it`,
      help: expect.stringContaining(`chmod go-rwx ${file}`),
    }),
  )
})

const canTry =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', ''], { uid: NOBODY, cwd: '/' }).status === 0

test.skipIf(!canTry)('C2 the kernel says the same for every mode (needs root to try)', () => {
  const tries =
    'const fs=require("fs");const t=(m)=>{try{fs.accessSync(process.argv[1],m);return 1}catch{return 0}};process.stdout.write(String(t(4))+t(2))'
  const who = { uid: NOBODY, groups: new Set([NOBODY]) }
  for (const mode of [0o600, 0o604, 0o602, 0o606, 0o640]) {
    for (const parent of [0o755, 0o711, 0o700, 0o705]) {
      chmodSync(file, mode)
      chmodSync(join(folder, 'inner'), parent)
      const run = spawnSync(process.execPath, ['-e', tries, file], {
        uid: NOBODY,
        gid: NOBODY,
        cwd: '/',
      })
      const said = breaches([place('secret')], who)[0]?.can ?? 'nothing'
      const wanted = { '00': 'nothing', '10': 'read', '01': 'change', '11': 'change' }
      expect(said).toBe(wanted[String(run.stdout) as keyof typeof wanted])
    }
  }
})
