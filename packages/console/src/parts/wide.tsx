// Room for what may be wider or longer than the page: it scrolls within itself, and where it does the
// keyboard can reach it. Source: WCAG 2.1.1
import { type ReactNode, useEffect, useRef } from 'react'

interface WideProps {
  readonly label: string
  readonly children: ReactNode
  readonly className?: string
}

export function Wide({ label, children, className = 'wide' }: WideProps) {
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const look = () => {
      const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element
      element.tabIndex = scrollWidth > clientWidth || scrollHeight > clientHeight ? 0 : -1
    }
    const observer = new ResizeObserver(look)
    observer.observe(element)
    look()
    return () => observer.disconnect()
  }, [])
  return (
    <section ref={box} className={className} aria-label={label}>
      {children}
    </section>
  )
}
