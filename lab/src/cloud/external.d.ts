// The parts of dynalite and s3rver that the lab uses; neither package ships types.

declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface DynaliteOptions {
    readonly createTableMs?: number
    readonly deleteTableMs?: number
    readonly updateTableMs?: number
  }
  /** An HTTP server that is not listening yet. Without `path` its tables live in memory. */
  export default function dynalite(options: DynaliteOptions): Server
}

declare module 's3rver' {
  import type { RequestListener } from 'node:http'

  interface S3rverOptions {
    readonly directory: string
    readonly silent: boolean
  }
  export default class S3rver {
    constructor(options: S3rverOptions)
    /** The Koa application as a listener for `http.createServer`. */
    callback(): RequestListener
  }
}
