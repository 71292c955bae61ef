// A moment: how long ago in words, the exact time on hover and for a screen reader.
import { useEffect, useState } from 'react'
import { absoluteTime, relativeTime } from './words.ts'

const TICK_MS = 10_000

/** The current time, moved on every ten seconds. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return nowMs
}

export function Time({ at }: { readonly at: string }) {
  const nowMs = useNow()
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {relativeTime(at, nowMs)}
    </time>
  )
}
