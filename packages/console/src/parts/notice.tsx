// What a page says where there is nothing to show, or where something failed: what, why, what next.
import type { ReactNode } from 'react'
import type { GateError } from '../gate/api.ts'

export function Failure({
  error,
  retry,
}: {
  readonly error: Pick<GateError, 'code' | 'message' | 'help'>
  readonly retry?: () => void
}) {
  return (
    <div className="notice notice-failure" role="alert">
      <p>
        <strong>{error.message}</strong>
      </p>
      <p>
        Next: {error.help || 'try again'} <code>{error.code}</code>
      </p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="notice">{children}</div>
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="quiet" role="status">
      Loading {what} …
    </p>
  )
}
