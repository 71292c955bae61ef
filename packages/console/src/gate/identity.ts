// Who is signed in on this page, and so reads. Every act has its own signature.
import { createContext, useContext } from 'react'

export interface Identity {
  /** Null where nobody is; then the command line signs. */
  readonly person: string | null
  readonly hasPasskey: boolean
}

export const NOBODY: Identity = { person: null, hasPasskey: false }

export const IdentityContext = createContext<Identity>(NOBODY)

export function useIdentity(): Identity {
  return useContext(IdentityContext)
}
