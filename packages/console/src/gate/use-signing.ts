// One signature of a form: while it is asked for, what failed, and what comes after it.
import { useState } from 'react'
import type { GateError } from './api.ts'

export interface Signing {
  readonly isBusy: boolean
  readonly error: GateError | null
  /** Asks for it once; what was signed before stays as it is where this one fails. */
  readonly sign: (ask: () => Promise<unknown>) => Promise<void>
}

/** `signed` is called after each one that the gate took. */
export function useSigning(signed: () => void): Signing {
  const [isBusy, setIsBusy] = useState(false)
  const [error, setError] = useState<GateError | null>(null)
  const sign = async (ask: () => Promise<unknown>) => {
    setIsBusy(true)
    setError(null)
    try {
      await ask()
      signed()
    } catch (cause) {
      setError(cause as GateError)
    }
    setIsBusy(false)
  }
  return { isBusy, error, sign }
}
