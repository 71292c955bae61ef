// An incident from a ledger's folder: verified first, read on the way, its payloads taken from beside it.
import type { Payloads } from '@seconder/replay/incident/asks'
import { incidentOfLedger } from '@seconder/replay/incident/from-ledger'
import type { Incident } from '@seconder/replay/incident/incident'
import { LedgerRecord, type Selection } from '@seconder/replay/incident/ledger-record'
import type { IamExport } from '@seconder/replay/incident/role-excess'
import type { Rules } from '@seconder/replay/judge/rules'
import { LedgerSide } from '@seconder/replay/reconcile/ledger-side'
import { reconcile } from '@seconder/replay/reconcile/reconcile'
import type { TrailWindow } from '@seconder/replay/trail/window'
import { verifyLedgerFolder } from './ledger-folder.ts'
import { besideDirectory, isRemote, notRemote } from './ledger-place.ts'

export interface FolderIncident {
  /** The verifier key itself, or a file with it; default: the folder's name with `.vkey`. */
  readonly key?: string | undefined
  readonly selection: Selection
  /** Policy sets to try beside those in force. */
  readonly candidates: readonly Rules[]
  readonly impact: string | null
  readonly iam?: IamExport | null
  /** What CloudTrail has of the same window, to hold the ledger against; null: nothing. */
  readonly trail?: TrailWindow | null
  /** A part of the gate's own principal, where it calls under its own rights. */
  readonly gatePrincipal?: string
}

/** A ledger that does not verify is reported on, and the report says so. Errors: those of the verifier. */
export async function incidentOfFolder(
  folder: string,
  {
    key,
    selection,
    candidates,
    impact,
    iam = null,
    trail = null,
    gatePrincipal = '',
  }: FolderIncident,
): Promise<Incident> {
  if (isRemote(folder)) throw notRemote('an incident report')
  let record = new LedgerRecord(selection)
  let side = new LedgerSide()
  const { report } = await verifyLedgerFolder(folder, {
    key,
    onEntry: (index, text, hash) => {
      // The ledger of a running gate may be read more than once.
      if (index === 0) {
        record = new LedgerRecord(selection)
        side = new LedgerSide()
      }
      record.take(index, text, hash)
      if (trail !== null) side.take(index, text, hash)
    },
  })
  const { since, until } = selection
  const held = { ledger: side, verified: report.ok, entries: report.size, gatePrincipal }
  return incidentOfLedger({
    record,
    payloads: payloadsIn(folder),
    selection,
    verified: report.ok,
    problems: report.problems.map(({ message, file }) => `${file}: ${message}`),
    entries: report.size,
    root: Buffer.from(report.rootHash).toString('hex'),
    candidates,
    impact,
    iam,
    reconciled: trail === null ? null : reconcile({ ...held, trail, since, until }),
  })
}

/** Payloads beside a log; null for a name that is none, for what is not there, and for other bytes than the name says. */
export function payloadsIn(folder: string): Payloads {
  return besideDirectory(folder).text
}
