// A link within the console: an address like any other, followed without loading the page again.
import type { MouseEvent, ReactNode } from 'react'
import { go } from '../route.ts'

interface LinkProps {
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly current?: boolean
  readonly label?: string
}

export function Link({ to, children, className, current, label }: LinkProps) {
  const follow = (event: MouseEvent) => {
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    if (!isPlain || event.altKey) return
    event.preventDefault()
    go(to)
    scrollTo(0, 0)
  }
  return (
    <a
      href={to}
      onClick={follow}
      className={className}
      aria-current={current ? 'page' : undefined}
      aria-label={label}
    >
      {children}
    </a>
  )
}
