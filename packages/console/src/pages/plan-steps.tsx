// A plan as a reviewer reads it: its calls in their order, each as a call by itself is shown.
import type { PlanDocument } from '@seconder/gateway/review/plan-document'
import { requirementWords } from '@seconder/gateway/review/words'
import { CallFacts, CallHead } from '../parts/call.tsx'
import { Name, Sentence, safe } from '../parts/untrusted.tsx'
import { whyWords } from '../parts/words.ts'

export function PlanSteps({ document }: { readonly document: PlanDocument }) {
  const { steps, items, windowMs } = document
  const minutes = Math.round(windowMs / 60_000)
  return (
    <>
      <header className="request-head">
        <h1>
          A plan of {steps.length} calls, in this order, once each, within {minutes} minutes
        </h1>
        <p className="summary">
          <Sentence text={document.summary} />
        </p>
        <ul className="plain">
          {items.map((item) =>
            item.kind === 'replace' ? (
              <li key={item.resource}>
                ◧ steps {item.steps.join(' and ')} replace <Name text={item.resource} />
              </li>
            ) : null,
          )}
        </ul>
      </header>
      {steps.map((step) => (
        <section key={step.number} className="plan-step" aria-label={`Step ${step.number}`}>
          <h2>
            Step {step.number} of {steps.length}
          </h2>
          {step.follows.length > 0 && (
            <p className="notice notice-warn">
              It meets what step {step.follows.join(', ')} leaves: what is shown is how it is now,
              and is not held to.
            </p>
          )}
          <CallHead part={step} level="h3" />
          <CallFacts part={step} />
          <p className="quiet">
            needs {requirementWords(step.requirement)}: {safe(whyWords(step.reason))}
          </p>
        </section>
      ))}
    </>
  )
}
