// Failures of the demo itself: what it needs to run is not there or has died. What it measures is never
// an error; figures that are not as they must be are named at the end.

export type DemoErrorCode =
  /** A process of the demo ended early or said nothing; its own words are in the message. */
  | 'child_failed'
  /** Customers do not get right answers before anything has happened. */
  | 'not_healthy'
  /** The outage did not end in the time the demo waits. */
  | 'not_restored'

export class DemoError extends Error {
  override readonly name = 'DemoError'
  readonly code: DemoErrorCode
  readonly help: string

  constructor(code: DemoErrorCode, message: string, help: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.help = help
  }
}
