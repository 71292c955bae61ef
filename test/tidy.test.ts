// The house rules as tests: each failure names the file and the cure. They read the tree that git
// tracks, and nothing else.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const STAGES = [
  'receive',
  'identify',
  'describe',
  'resolve',
  'decide',
  'review',
  'record',
  'execute',
]
/** Noun files may be imported by later stages; everything else of a stage is its own. */
const NOUNS: Record<string, readonly string[]> = {
  receive: ['received'],
  identify: ['caller'],
  describe: ['action', 'environments', 'upload-content'],
  resolve: ['evidence'],
  decide: ['decision', 'seats'],
  review: ['document', 'statement'],
  record: ['entry', 'recorder'],
  execute: ['outcome', 'copies'],
}

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !file.includes('/testdata/') && file !== 'package-lock.json')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const code = tracked.filter(
  (file) => /\.(ts|tsx|mjs)$/.test(file) && !/\.generated\.ts$/.test(file),
)
const sources = code.filter(
  (file) => !/\.(test|fixture)\.ts$/.test(file) && !file.startsWith('test/'),
)
const texts = tracked.filter(
  (file) =>
    /\.(ts|tsx|mjs|md|ya?ml|json|cedar|cedarschema|sh)$/.test(file) &&
    !file.startsWith('packages/aws/data/'),
)

test('no file is longer than 400 lines, no test longer than 600: find the noun hiding inside', () => {
  const long = code
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > (sources.includes(file) ? 400 : 600))
  expect(long).toEqual([])
})

test('no function is longer than 70 lines: take a step of it out and name it', () => {
  expect(sources.flatMap(longFunctions)).toEqual([])
})

test('no line of code is longer than 160 columns: biome formats to 100, only a text may pass it', () => {
  const wide = sources.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (line.length > 160 ? [`${file}:${index + 1}`] : [])),
  )
  expect(wide).toEqual([])
})

test('files and folders have a noun for a name, never a drawer', () => {
  const drawers = code.filter((file) =>
    /(^|\/)(utils?|helpers?|common|misc|manager|service|types)(\/|\.ts$)/.test(file),
  )
  expect(drawers).toEqual([])
})

test('every source file says at its top what it makes', () => {
  const silent = sources.filter(
    (file) => !/^(#!.*\n)?\/\//.test(read(file)) && !file.endsWith('vitest.config.ts'),
  )
  expect(silent).toEqual([])
})

test('a stage imports the nouns of other stages and lib, never their verbs: only gateway.ts calls those', () => {
  const crossing: string[] = []
  for (const file of sources) {
    const stage = /^packages\/gateway\/src\/([a-z]+)\//.exec(file)?.[1]
    if (!stage || !STAGES.includes(stage)) continue
    for (const [, path = ''] of read(file).matchAll(/from '(\.\.\/[^']+)'/g)) {
      const [, other = '', name = ''] = /^\.\.\/([a-z]+)\/(.+)\.ts$/.exec(path) ?? []
      const known = NOUNS[other]
      if (
        known &&
        other !== stage &&
        !known.includes(name) &&
        !ALLOWED_CROSSINGS.has(`${file} ${other}/${name}`)
      ) {
        crossing.push(`${file} imports ${other}/${name}`)
      }
    }
  }
  expect(crossing).toEqual([])
})

/** Each with its reason: the door hands to the path, which is what a door is for. */
const ALLOWED_CROSSINGS = new Set<string>([])

test('describe and decide are pure: no clock, network, disk, environment or randomness', () => {
  const impure = sources
    .filter((file) => /^packages\/gateway\/src\/(describe|decide)\//.test(file))
    .filter((file) => !/\/(policy-set|policy-reader|engine|sample-request)\.ts$/.test(file))
    .filter((file) =>
      /Date\.now|new Date\(|Math\.random|process\.|node:(fs|net|http|https|os|child_process)|fetch\(|randomBytes/.test(
        read(file),
      ),
    )
  expect(impure).toEqual([])
})

test('packages/aws/src and packages/ledger hold no credential and reach no network', () => {
  const reaching = sources
    .filter((file) => /^packages\/(aws|ledger)\/src\//.test(file))
    .filter((file) =>
      /node:(net|http|https|child_process|dgram)|\bfetch\(|process\.env/.test(
        withoutComments(read(file)),
      ),
    )
  expect(reaching).toEqual([])
})

test('only config.ts of the gateway reads the environment', () => {
  const readers = sources
    .filter((file) => file.startsWith('packages/gateway/src/') && !file.endsWith('/config.ts'))
    .filter((file) => !file.includes('/lib/ssh/') && /process\.env/.test(read(file)))
  expect(readers).toEqual([])
})

test('only execute reveals a credential; channels of notify and the database their own', () => {
  const revealing = sources
    .filter(
      (file) =>
        !file.startsWith('packages/gateway/src/execute/') &&
        !file.startsWith('packages/gateway/src/notify/channels/') &&
        file !== 'packages/gateway/src/state/postgres.ts' &&
        !file.endsWith('/lib/secret.ts'),
    )
    .filter((file) => /\.reveal\(\)/.test(read(file)))
  expect(revealing).toEqual([])
})

test('L2 no auto-approve switch exists in gateway, cli, policies or lab', () => {
  const switches = tracked
    .filter(
      (file) =>
        /^(packages|policies|lab)\//.test(file) &&
        !file.startsWith('packages/aws/data/') &&
        /\.(ts|cedar|ya?ml|json)$/.test(file),
    )
    .filter((file) =>
      /auto[-_ ]?approv|approve[-_ ]?all|skip[-_ ]?review|SECONDER_(APPROVE|BYPASS|DISABLE)|--no-review/i.test(
        read(file),
      ),
    )
  expect(switches).toEqual([])
})

test('nothing is silenced: no any, no ts-ignore, no biome-ignore, no test left out or alone', () => {
  const pattern = new RegExp(
    [
      'as any\\b',
      ':\\s*any(\\[\\])?\\s*[;,)=>|]',
      '@ts-(ignore|expect-error|nocheck)',
      'biome-ignore',
      '(test|describe|it)\\.only\\(',
    ].join('|'),
  )
  const silenced = code.filter((file) => file !== 'test/tidy.test.ts' && pattern.test(read(file)))
  expect(silenced).toEqual([])
})

test('no empty catch, and no left-over', () => {
  const empty = code.filter((file) => /catch\s*(\([^)]*\))?\s*\{\s*\}/.test(read(file)))
  const left = code.filter(
    (file) => file !== 'test/tidy.test.ts' && /\b(TODO|FIXME)\b|\bXXX\b(?!')/.test(read(file)),
  )
  expect({ empty, left }).toEqual({ empty: [], left: [] })
})

test('the repository speaks of the project alone: no path of one machine, no registry host', () => {
  const home = homedir()
  const workplace = `${dirname(ROOT)}/`
  const registry = ['registry', 'npmjs', 'org'].join('.')
  const speaking = texts.filter((file) => {
    const text = read(file)
    return (
      text.includes(registry) ||
      (workplace.length > 3 && text.includes(workplace)) ||
      (home.length > 3 && text.includes(`${home}/`))
    )
  })
  expect(speaking).toEqual([])
})

test('every dependency is an exact pin with a line of reason in ARCHITECTURE.md', () => {
  const reasons = read('ARCHITECTURE.md')
  const wrong: string[] = []
  for (const file of tracked.filter((name) => /(^|\/)package\.json$/.test(name))) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file)) as Record<
      string,
      Record<string, string>
    >
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (!/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/.test(version))
        wrong.push(`${file}: ${name} ${version} is not an exact pin`)
      if (!name.startsWith('@seconder/') && !reasons.includes(`\`${name}\``))
        wrong.push(`${file}: ${name} has no reason in ARCHITECTURE.md`)
    }
  }
  expect(wrong).toEqual([])
})

test('no private key is tracked', () => {
  const keys = tracked.filter((file) =>
    /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}/.test(read(file)),
  )
  expect(keys).toEqual([])
})

/** The code alone, so that a comment may name what the code may not use. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
}

/** Functions and methods by their braces: good enough for formatted code, and it never guesses. */
function longFunctions(file: string): string[] {
  const lines = read(file).split('\n')
  const found: string[] = []
  lines.forEach((line, start) => {
    const indent = /^ */.exec(line)?.[0].length ?? 0
    const opens =
      /(function\b.*|=>) \{$|^ *(static |async |readonly |get |set |#|\*)*[\w#]+\(.*\)(: .+)? \{$|^ *\): .+ \{$/.test(
        line,
      )
    if (!opens || /^ *(if|for|while|switch|catch|\} else)\b/.test(line)) return
    const end = lines.findIndex(
      (text, index) => index > start && new RegExp(`^ {${indent}}\\}`).test(text),
    )
    if (end - start > 70) found.push(`${file}:${start + 1} (${end - start} lines)`)
  })
  return found
}
