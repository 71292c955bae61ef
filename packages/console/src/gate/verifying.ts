// Runs the ledger's own verifier in this browser, over the files as the gate serves them.
import { type VerifyProblem, verifyLedger } from '@seconder/ledger/verify'
import { get } from './api.ts'

export interface Verified {
  readonly ok: boolean
  readonly size: number
  /** In hex. */
  readonly root: string
  readonly problems: readonly VerifyProblem[]
}

type Progress = (done: { entries: number; of: number }) => void

/** A gate that is running moves files while they are read; what is really wrong stays wrong. */
const TRIES = 4
const PAUSE_MS = 700

/** Throws where the files cannot be had, or `verifierKey` is none. */
export async function verifyHere(verifierKey: string, onProgress: Progress): Promise<Verified> {
  let verified = await verifyOnce(verifierKey, onProgress)
  for (let tries = 1; !verified.ok && tries < TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    verified = await verifyOnce(verifierKey, onProgress)
  }
  return verified
}

interface FilePage {
  readonly files: readonly string[]
  /** The name to go on after, or null at the end. */
  readonly next: string | null
}

const FILES_A_PAGE = 1_000

async function listed(): Promise<string[]> {
  const files: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const query: string = `limit=${FILES_A_PAGE}&after=${encodeURIComponent(after)}`
    const page: FilePage = await get(`/api/ledger/files?${query}`)
    files.push(...page.files)
    after = page.next
  }
  return files
}

async function verifyOnce(verifierKey: string, onProgress: Progress): Promise<Verified> {
  const report = await verifyLedger(
    {
      list: listed,
      async read(name) {
        const answer = await fetch(`/api/ledger/files/${name}`)
        if (!answer.ok) throw new Error(`the gate answered ${answer.status}`)
        return new Uint8Array(await answer.arrayBuffer())
      },
    },
    { verifierKey, onProgress },
  )
  const root = Array.from(report.rootHash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { ok: report.ok, size: report.size, root, problems: report.problems }
}
