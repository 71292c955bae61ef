// One page of a list, by what the query asks for, and where the rest goes on.
import type { Context } from 'hono'
import type { PageOf } from '../state/store.ts'

/** Rows of a page where nobody says how many, and at most. */
export const LISTED = 100
export const LISTED_MAX = 1_000

/** One page, as `limit` and `before` of the query ask, and the id to go on from where there is more. */
export async function paged<T extends { readonly id: string }>(
  context: Context,
  read: (of: PageOf) => Promise<readonly T[]>,
): Promise<{ page: readonly T[]; next: string | null }> {
  const { limit: text = '', before } = context.req.query()
  const asked = /^\d{1,6}$/.test(text) ? Number(text) : LISTED
  const limit = Math.max(1, Math.min(asked, LISTED_MAX))
  const rows = await read({ limit: limit + 1, ...(before !== undefined && { before }) })
  const page = rows.slice(0, limit)
  return { page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
}
