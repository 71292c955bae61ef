// What a gate has opened, in order, and how it is let go of.

export type Closing = (() => Promise<void>)[]

/** What was opened last is closed first. All of it is, whatever fails; then the first failure is thrown on. */
export async function closedInTurn(closing: Readonly<Closing>): Promise<void> {
  const failures: unknown[] = []
  for (const close of closing.toReversed()) {
    try {
      await close()
    } catch (cause) {
      failures.push(cause)
    }
  }
  if (failures.length > 0) throw failures[0]
}
