// What the page and the worker of a report say to one another. Files go to the worker and nowhere else; what
// comes back is a report.
import type { RulesContent } from '@seconder/replay/judge/rules'
import type { Report } from '@seconder/replay/report/report'
import type { Audit } from '@seconder/replay/roles/finding'

/** A file that a person chose or dropped, under its path in what was dropped. */
export interface GivenFile {
  readonly path: string
  readonly file: File
  /** It came with a folder: then only files of a trail, by their names, are read. */
  readonly isOfFolder: boolean
}

/** Parts of the build, gzip as they are served. Cedar is needed for a replay only. */
export interface Parts {
  readonly index: ArrayBuffer
  readonly cedar: ArrayBuffer | null
}

export interface RolesOptions {
  /** ARN of the gate itself, or nothing. */
  readonly gate: string
  /** Patterns of ARNs or names, with `*`. */
  readonly agents: readonly string[]
  readonly except: readonly string[]
  /** SCPs and RCPs, as docs/roles.md says; null without. */
  readonly organization: GivenFile | null
  /** CloudTrail, for what is not used; empty without. */
  readonly trail: readonly GivenFile[]
}

/** What decides, as `/api/policies` has it. */
export interface GateContent extends RulesContent {
  readonly epoch: number
}

export type Ask =
  | {
      readonly is: 'replay'
      readonly parts: Parts
      readonly files: readonly GivenFile[]
      readonly content: GateContent
    }
  | {
      readonly is: 'roles'
      readonly parts: Parts
      readonly files: readonly GivenFile[]
      readonly content: GateContent
      readonly options: RolesOptions
    }

/** `html`: the report as one page in a file, to keep. */
export type Answer =
  | { readonly is: 'progress'; readonly words: string; readonly done: number; readonly of: number }
  | { readonly is: 'replayed'; readonly report: Report; readonly html: string }
  | { readonly is: 'audited'; readonly audit: Audit; readonly html: string }
  | { readonly is: 'failed'; readonly message: string; readonly help: string }

/** Something that a person can do something about. */
export class ReportFault extends Error {
  readonly help: string

  constructor(message: string, help: string) {
    super(message)
    this.help = help
  }
}
