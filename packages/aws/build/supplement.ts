// Reads data/supplement.json: operations and members that newer AWS models have and the frozen
// `aws-sdk` v2 lacks, in the same shape grammar, with the model release they come from.

import { readFileSync } from 'node:fs'
import type { RawModel } from './sdk-models.ts'

export interface Supplement {
  readonly source: string
  readonly models: readonly RawModel[]
}

export function readSupplement(): Supplement {
  return JSON.parse(readFileSync(new URL('../data/supplement.json', import.meta.url), 'utf8'))
}
