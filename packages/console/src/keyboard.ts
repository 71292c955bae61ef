// The keyboard: j and k move through rows, / finds, ? helps. No key answers a request.
import { useEffect, useRef } from 'react'
import { go, toInbox } from './route.ts'

export function useKeyboard(toggleHelp: () => void): void {
  const help = useRef(toggleHelp)
  help.current = toggleHelp
  useEffect(() => {
    let before = ''
    const pressed = (event: KeyboardEvent) => {
      const { target, key } = event
      const isTyping =
        target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
      if (isTyping || event.metaKey || event.ctrlKey || event.altKey) return
      const last = before
      before = key
      if (key === 'j') move(1)
      else if (key === 'k') move(-1)
      else if (key === '?') help.current()
      else if (key === 'i' && last === 'g') go(toInbox())
      else if (key === '/') document.querySelector<HTMLInputElement>('[data-find]')?.focus()
      else return
      event.preventDefault()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
}

function move(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.row, .rows summary, .table th a')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by
  rows[Math.min(rows.length - 1, Math.max(0, next))]?.focus()
}
