// A handful of the path's tests with gates whose state is on PostgreSQL; `npm run test:postgres` runs all of them so.
import { afterAll, beforeAll, describe } from 'vitest'
import { withoutPostgres } from '../fakes/test-state.ts'

const absent = await withoutPostgres()
const words = absent === null ? 'on PostgreSQL' : `on PostgreSQL (skipped: ${absent})`
const before = process.env['SECONDER_TEST_STATE']

describe.skipIf(absent !== null)(words, () => {
  beforeAll(() => {
    process.env['SECONDER_TEST_STATE'] = 'postgres'
  })
  afterAll(() => {
    process.env['SECONDER_TEST_STATE'] = before
  })
  describe('review', () => import('./review.test.ts').then(() => undefined))
  describe('races', () => import('./limits-and-races.test.ts').then(() => undefined))
  describe('plans', () => import('./plans.test.ts').then(() => undefined))
  describe('break-glass', () => import('./break-glass.test.ts').then(() => undefined))
  describe('a ledger in a bucket', () => import('./ledger-s3-gates.ts').then(() => undefined))
})
