// Words and short forms that every page writes the same way: times, accounts, ids.

/** `3 min ago`, `in 54 min`; the absolute time stands beside it as a title. */
export function relativeTime(iso: string, nowMs: number): string {
  const deltaMs = new Date(iso).getTime() - nowMs
  const words = span(Math.abs(deltaMs))
  if (words === 'now') return 'now'
  return deltaMs < 0 ? `${words} ago` : `in ${words}`
}

export function span(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

export function absoluteTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`
}

export function accountWords(account: string): string {
  return account.replace(/^(\d{4})(\d{4})(\d{4})$/, '$1-$2-$3')
}

/** Ids and hashes, shortened in the middle. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Why policy asks, without the count of seats that begins it: pages say that in words of their own. */
export function whyWords(reason: string): string {
  return reason.replace(/^needs [a-z0-9-]+:\d+(?: and [a-z0-9-]+:\d+)*: /, '')
}
