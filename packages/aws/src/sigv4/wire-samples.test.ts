// Requests that real clients signed: botocore's, kept outside this repository, when they are here.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAmzDate } from './amz-date.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import { verify } from './verify.ts'

const FOLDER = fileURLToPath(new URL('../../../../../shared/checks/wire/requests', import.meta.url))
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER) : []

describe.skipIf(FILES.length === 0)('botocore samples (skipped where they are absent)', () => {
  test('are twenty', () => {
    expect(FILES).toHaveLength(20)
  })

  for (const file of FILES) {
    test(`${file} verifies`, () => {
      const request = parseRawRequest(readFileSync(`${FOLDER}/${file}`))
      const date = request.headers.find(([name]) => name.toLowerCase() === 'x-amz-date')?.[1]
      const lookup = (id: string) =>
        id === 'AKIDSAMPLEEXAMPLE000' ? 'sample/secret+example/key' : undefined
      const verified = verify(request, lookup, parseAmzDate(date?.trim() ?? ''))
      expect(verified.accessKeyId).toBe('AKIDSAMPLEEXAMPLE000')
    })
  }
})
