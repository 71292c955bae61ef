// The port to who publishes the segments of a ledger: in the thread of the writer (publication.ts), or in one of
// its own (publisher-thread.ts). Which of them it is changes no file and no order of what is done to files.

import type { Segment } from './segment.ts'

export interface SegmentPublisher {
  /** The size that the published checkpoint has; the files of that size are all in place. */
  readonly size: number
  /** How many segments may be given to it before it has published the first of them. */
  readonly segmentsMax: number
  /**
   * Publishes the segment, whose journal file is complete, durable and closed, and which begins where the one before
   * it ends; then removes that file. Answers in the order in which it was asked; after a failure, with that failure.
   */
  publish(segment: Segment): Promise<void>
  /** Lets go of what it holds; nothing is being published. */
  close(): Promise<void>
}
