// The lab's cloud as a process of its own: prints one line of JSON with the endpoint and the keys
// of the lab, runs until it is told to stop. The keys are worth nothing outside this process.
import { startCloud } from './cloud.ts'
import { createCostExplorerEnvironment } from './environment.ts'

const cloud = await startCloud()
// `--empty` leaves out the story's stack.
const environment = process.argv.includes('--empty')
  ? undefined
  : await createCostExplorerEnvironment(cloud)
const { endpoint, region, credentials } = cloud
process.stdout.write(`${JSON.stringify({ endpoint, region, credentials, environment })}\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    cloud.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
