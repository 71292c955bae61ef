// The part of the state port about break-glass: who went ahead alone, within what, and who looked afterwards.
import type { OpenEffect, PageOf } from './store.ts'

export interface BreakGlassRow {
  /** `b-...` */
  readonly id: string
  readonly sessionId: string
  readonly operator: string
  readonly reason: string
  readonly effects: readonly string[]
  /** Exact ARNs. */
  readonly resources: readonly string[]
  readonly strength: 'software' | 'hardware'
  readonly epoch: number
  readonly openedAtMs: number
  readonly untilMs: number
  readonly effectsMax: number
  readonly used: number
  /** When two others had looked; null while the after-review is open. */
  readonly closedAtMs: number | null
}

export interface BreakGlassReview {
  readonly breakGlass: string
  readonly reviewer: string
  readonly comment: string
  readonly atMs: number
}

export interface BreakGlassStore {
  /** False where an after-review of this operator is open. */
  addBreakGlass(row: BreakGlassRow): Promise<boolean>
  breakGlass(id: string): Promise<BreakGlassRow | undefined>
  /** Newest first. */
  breakGlasses(page: PageOf): Promise<readonly BreakGlassRow[]>
  /** Those whose after-review is open: at most one of each operator. */
  unclosedBreakGlasses(): Promise<readonly BreakGlassRow[]>
  /** The one that this session may use now. */
  liveBreakGlass(
    sessionId: string,
    epoch: number,
    nowMs: number,
  ): Promise<BreakGlassRow | undefined>
  /** Counts one effect: true only while it is live, of the active epoch and an open session, with one left. */
  useBreakGlass(
    id: string,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean>
  /** Returns whether it is closed now. */
  addBreakGlassReview(review: BreakGlassReview, reviewersNeeded: number): Promise<boolean>
  breakGlassReviews(id: string): Promise<readonly BreakGlassReview[]>
}
