// The words and errors of plans, each with what to do next.
import { GatewayError } from '../errors.ts'
import { PLAN_STEPS_MAX } from '../review/plan-document.ts'

export function recordedWords(operation: string, step: number, plan: string): string {
  return (
    `Seconder recorded ${operation} as step ${step} of plan ${plan}, nothing was done. ` +
    'When every call is recorded: seconder plan submit'
  )
}

export function passesWords(operation: string, plan: string): string {
  return (
    `Seconder: ${operation} needs no review and is no step of plan ${plan}; while that is recorded nothing ` +
    'is changed, so nothing was done. Run it again when the plan is approved.'
  )
}

export function stoppedWords(plan: string, step: number | null, why: string): string {
  const where = step === null ? '' : ` at step ${step}`
  return `plan ${plan} was stopped${where}: ${why}; nothing was done by this call`
}

export function planStopped(plan: string, step: number | null, why: string): GatewayError {
  return new GatewayError(
    'plan_stopped',
    stoppedWords(plan, step, why),
    'what is left needs a new plan, or a review of each call',
  )
}

export function underWay(plan: string, step: number): GatewayError {
  return new GatewayError(
    'limit_reached',
    `step ${step} of plan ${plan} has not ended; nothing was done`,
    'run this call again when it has',
  )
}

export function planFull(plan: string): GatewayError {
  return new GatewayError(
    'limit_reached',
    `plan ${plan} has ${PLAN_STEPS_MAX} calls, or records no more; this one is not in it and nothing was done`,
    'submit what is recorded, and make another plan of the rest',
  )
}

export function stepTooLarge(operation: string): GatewayError {
  return new GatewayError(
    'limit_reached',
    `${operation} is too large for a step of a plan; nothing was done`,
    'make this call by itself, outside of a plan',
  )
}

export function planUnknown(): GatewayError {
  return new GatewayError(
    'request_unknown',
    'this session has no such plan',
    'begin one with `seconder plan begin`, or see `seconder plan ls`',
  )
}

export function planOpen(plan: string): GatewayError {
  return new GatewayError(
    'limit_reached',
    `this session already has plan ${plan}`,
    'finish it, or take it back with `seconder request cancel`',
  )
}

export function plansOfDay(operator: string, begun: number): GatewayError {
  return new GatewayError(
    'limit_reached',
    `the sessions of \`${operator}\` have begun ${begun} plans within 24 hours`,
    'make the calls by themselves, or wait',
  )
}

export function policyChanged(plan: string): GatewayError {
  return new GatewayError(
    'epoch_changed',
    `the policy changed since plan ${plan} was begun; nothing was done`,
    'take it back with `seconder request cancel`, and begin it again',
  )
}
