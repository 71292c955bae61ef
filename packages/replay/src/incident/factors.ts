// Joins the factors of all chains: the same words once, with every chain and entry that they hold for.

import { type Evidence, FACTORS, type Factor } from './incident.ts'

/** Entries named beneath one factor. */
const EVIDENCE_MAX = 12

export interface ChainFactors {
  readonly chain: string
  readonly factors: readonly Omit<Factor, 'chains'>[]
}

export function joinedFactors(all: readonly ChainFactors[]): Factor[] {
  const joined = new Map<string, Factor>()
  for (const { chain, factors } of all) {
    for (const factor of factors) {
      const key = JSON.stringify([factor.factor, factor.did, factor.says])
      const known = joined.get(key)
      const evidence = distinct([...(known?.evidence ?? []), ...factor.evidence])
      joined.set(key, { ...factor, chains: [...(known?.chains ?? []), chain], evidence })
    }
  }
  return [...joined.values()].sort(
    (a, b) =>
      (a.did === b.did ? 0 : a.did === 'let' ? -1 : 1) ||
      FACTORS.indexOf(a.factor) - FACTORS.indexOf(b.factor),
  )
}

function distinct(all: readonly Evidence[]): Evidence[] {
  return [...new Map(all.map((one) => [one.id, one])).values()].slice(0, EVIDENCE_MAX)
}
