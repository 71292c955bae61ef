// The file of role reaches: read whole or refused with its line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readRoleReach } from './role-reach.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-reach-'))
afterAll(() => rmSync(folder, { recursive: true }))
const ROLE = 'arn:aws:iam::210987654321:role/worker'

function read(text: string) {
  const path = join(folder, 'reach.json')
  writeFileSync(path, text)
  return readRoleReach(path)
}

test('H8 the reach of a role is read by its ARN', () => {
  const text = `{"version":1,"roles":{"${ROLE}":{"environments":["production","development"]}}}`
  expect(read(text)).toEqual({ [ROLE]: { environments: ['production', 'development'] } })
})

test.each([
  ['{"version":1,\n"roles":{"worker":{"environments":[]}}}', 'line 2'],
  [`{"version":1,\n"roles":{\n"${ROLE}":{"environments":["Not A Name"]}}}`, 'line 3'],
  [`{"version":1,\n"roles":{\n"${ROLE}":{"environment":["production"]}}}`, 'line 3'],
  [`{"version":2,\n"roles":{}}`, 'line 1'],
  [
    `{"version":1,\n"roles":{"${ROLE}":{"environments":[]},\n"${ROLE}":{"environments":[]}}}`,
    'line 3',
  ],
  ['{"version":1,\n"roles":{"__proto__":{"environments":[]}}}', 'line 2'],
  ['', 'line 1'],
])('H8 a mistake in the file is refused with its line', (text, line) => {
  const path = join(folder, 'reach.json')
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  expect(() => read(text)).toThrow(`\`${path}\` ${line}`)
})

test('H8 a file that is not there is refused by its name', () => {
  expect(() => readRoleReach(join(folder, 'none.json'))).toThrow('cannot read')
})
