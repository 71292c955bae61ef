// Who looks at this page, as the gate knows it. It only reads: every act has its own signature.
import { createContext, useContext } from 'react'

export interface Identity {
  /** Null where nobody signed in; then the command line signs. */
  readonly person: string | null
  readonly hasPasskey: boolean
  readonly rpId: string | null
}

export const NOBODY: Identity = { person: null, hasPasskey: false, rpId: null }

export const IdentityContext = createContext<Identity>(NOBODY)

export function useIdentity(): Identity {
  return useContext(IdentityContext)
}
