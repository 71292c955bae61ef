// New epochs: whether the files differ from the one in force, what they would change, and the signatures for it.
import type { Hono } from 'hono'
import type { Gate } from '../gate.ts'
import { Rate } from '../lib/rate.ts'
import { peerOf } from '../receive/peer.ts'
import { givenAct } from './given-act.ts'
import { type ReadingEnv, socketOf } from './reading.ts'

/** How often one address, and one person, may have the files of the gate read. */
const READ = { burst: 120, perMinute: 120 }
/** How often one person may have the calls of a week tried. */
const DRY_RUNS = { burst: 10, perMinute: 10 }

export function addEpochs(app: Hono<ReadingEnv>, { epochs, clock }: Gate): void {
  const rate = new Rate(clock, READ)
  app.get('/api/epochs/candidate', async (context) => {
    rate.take((await peerOf(socketOf(context.env))) ?? '')
    return context.json(await epochs.versions())
  })
  app.get('/api/epochs/candidate/content', async (context) => {
    rate.take(`person ${context.get('reader')?.person ?? ''}`)
    return context.json(await epochs.offered())
  })
  const dryRuns = new Rate(clock, DRY_RUNS)
  app.get('/api/epochs/candidate/dry-run', async (context) => {
    dryRuns.take(`person ${context.get('reader')?.person ?? ''}`)
    return context.json(await epochs.dryRun())
  })
  app.post('/api/epochs', async (context) =>
    context.json(await epochs.sign(await givenAct(context.req))),
  )
}
