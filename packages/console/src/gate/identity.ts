// Who answers on this page. It proves nothing: every act has its own signature, which does.
import { createContext, useContext } from 'react'

export interface Identity {
  /** Null where nobody said; then the command line signs. */
  readonly person: string | null
  readonly hasPasskey: boolean
}

export const NOBODY: Identity = { person: null, hasPasskey: false }

export const IdentityContext = createContext<Identity>(NOBODY)

export function useIdentity(): Identity {
  return useContext(IdentityContext)
}
