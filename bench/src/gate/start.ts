// What the bench and the gate under test tell each other, and the accounts of its two environments.

export const PRODUCTION = '123456789012'
export const DEVELOPMENT = '210987654321'

export interface GateStart {
  readonly folder: string
  readonly upstreamPort: number
  /** One line of a `.pub` file: the operator's. */
  readonly publicKey: string
}

export interface GateStarted {
  readonly awsUrl: string
  readonly consoleUrl: string
}

/** Asks the gate to start its profile, and the next one to end it: the answer is a StageSplit. */
export interface GateSplit {
  readonly split: 'start' | 'stop'
}
