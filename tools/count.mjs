// Prints the closing line of a CI run from vitest's JSON report, and exits with the run's own code.
// A run that left no report, or ran no test, has failed.
import { readFileSync } from 'node:fs'

const [file, code] = process.argv.slice(2)
let passed = 0
let failed = 1
let skipped = 0
try {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  passed = report.numPassedTests
  skipped = report.numPendingTests + report.numTodoTests
  // A file that does not load has no tests of its own; it still is a failure.
  const broken = report.testResults.filter(
    (result) => result.status === 'failed' && result.assertionResults.length === 0,
  )
  failed = report.numFailedTests + broken.length
} catch {
  console.log('no test report was written')
}
if (Number(code) !== 0 && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(Number(code) !== 0 || failed > 0 || passed === 0 ? 1 : 0)
