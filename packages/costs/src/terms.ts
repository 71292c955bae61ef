// The words of the star schema: every attribute of a row is kept as a small integer, and this table
// says which number space each attribute has. Numbers are stored, so they never change meaning.

/** Attributes of the resource dimension, in the order of its columns. */
export const RESOURCE_KINDS = {
  account: 1,
  payer: 2,
  service: 3,
  region: 4,
  zone: 5,
  usage_type: 6,
  operation: 7,
  purchase: 8,
  provider: 9,
  issuer: 10,
  resource_id: 11,
  unit: 12,
  tag_text: 13,
} as const

/** Attributes that stand in the fact itself. */
export const FACT_KINDS = { category: 14, currency: 15 } as const

export type ResourceKind = keyof typeof RESOURCE_KINDS
export type FactKind = keyof typeof FACT_KINDS

export const RESOURCE_KIND_NAMES = Object.keys(RESOURCE_KINDS) as readonly ResourceKind[]

/** The number space of an attribute. */
export function kindNumber(kind: ResourceKind | FactKind): number {
  return { ...RESOURCE_KINDS, ...FACT_KINDS }[kind]
}
