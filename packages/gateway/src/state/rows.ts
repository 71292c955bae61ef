// Makes the Store's nouns from rows of the database. Nothing here decides anything.

import type { BreakGlassRow } from './break-glass-store.ts'
import type { KeyRecord, OpenChange, PersonRecord, SignInRow } from './people-store.ts'
import type { PlanRow, PlanState, PlanStepRow } from './plan-store.ts'
import type { DenialRow, EscalationRow, TouchRow } from './standing-store.ts'
import type {
  EpochRow,
  FollowedEffect,
  GrantRow,
  GrantState,
  OpenEffect,
  RequestRow,
  RequestState,
  ReviewRow,
  SessionRow,
} from './store.ts'

type Row = Record<string, unknown>

const text = (row: Row, column: string): string => String(row[column])
const count = (row: Row, column: string): number => Number(row[column])
const textOrNull = (row: Row, column: string): string | null =>
  row[column] === null || row[column] === undefined ? null : String(row[column])
const list = (row: Row, column: string): string[] => JSON.parse(text(row, column)) as string[]

export function epoch(row: Row): EpochRow {
  return {
    number: count(row, 'number'),
    version: text(row, 'version'),
    content: text(row, 'content'),
    activatedAtMs: count(row, 'activated_at_ms'),
  }
}

export function person(row: Row): PersonRecord {
  return {
    name: text(row, 'name'),
    teams: list(row, 'teams'),
    addedAtMs: count(row, 'added_at_ms'),
    teamsSinceMs: JSON.parse(text(row, 'team_times')) as Record<string, number>,
  }
}

export function key(row: Row): KeyRecord {
  return {
    fingerprint: text(row, 'fingerprint'),
    person: text(row, 'person'),
    publicKey: text(row, 'public_key'),
    credentialId: textOrNull(row, 'credential_id'),
    addedAtMs: count(row, 'added_at_ms'),
    counter: count(row, 'counter'),
  }
}

export function session(row: Row): SessionRow {
  return {
    id: text(row, 'id'),
    parent: textOrNull(row, 'parent'),
    accessKeyId: text(row, 'access_key_id'),
    secretAccessKey: text(row, 'secret_access_key'),
    maskKey: text(row, 'mask_key'),
    agent: text(row, 'agent'),
    operator: text(row, 'operator'),
    task: textOrNull(row, 'task'),
    instigators: list(row, 'instigators'),
    roleName: text(row, 'role_name'),
    roleArn: text(row, 'role_arn'),
    openedAtMs: count(row, 'opened_at_ms'),
    expiresAtMs: count(row, 'expires_at_ms'),
    closedAtMs: row['closed_at_ms'] === null ? null : count(row, 'closed_at_ms'),
    suspendedAtMs: row['suspended_at_ms'] === null ? null : count(row, 'suspended_at_ms'),
  }
}

export function request(row: Row): RequestRow {
  return {
    id: text(row, 'id'),
    sessionId: text(row, 'session_id'),
    operator: text(row, 'operator'),
    operation: text(row, 'operation'),
    actionDigest: text(row, 'action_digest'),
    digest: text(row, 'digest'),
    epoch: count(row, 'epoch'),
    state: text(row, 'state') as RequestState,
    documentSha256: text(row, 'document_sha256'),
    requirement: list(row, 'requirement'),
    deniedBefore: JSON.parse(text(row, 'denied_before')) as RequestRow['deniedBefore'],
    openedAtMs: count(row, 'opened_at_ms'),
    expiresAtMs: count(row, 'expires_at_ms'),
    closedBy: textOrNull(row, 'closed_by'),
    comment: textOrNull(row, 'comment'),
  }
}

export function review(row: Row): ReviewRow {
  return {
    requestId: text(row, 'request_id'),
    reviewer: text(row, 'reviewer'),
    verdict: text(row, 'verdict') as ReviewRow['verdict'],
    strength: text(row, 'strength') as ReviewRow['strength'],
    key: text(row, 'key_fingerprint'),
    atMs: count(row, 'at_ms'),
  }
}

export function grant(row: Row): GrantRow {
  return {
    id: text(row, 'id'),
    requestId: text(row, 'request_id'),
    sessionId: text(row, 'session_id'),
    digest: text(row, 'digest'),
    epoch: count(row, 'epoch'),
    state: text(row, 'state') as GrantState,
    expiresAtMs: count(row, 'expires_at_ms'),
    endedBy: textOrNull(row, 'ended_by'),
    endedWhy: textOrNull(row, 'ended_why'),
  }
}

export function effect(row: Row): OpenEffect {
  return {
    id: text(row, 'id'),
    sessionId: text(row, 'session_id'),
    operation: text(row, 'operation'),
  }
}

export function followed(row: Row): FollowedEffect {
  return {
    id: text(row, 'effect_id'),
    sessionId: text(row, 'session_id'),
    operation: text(row, 'operation'),
    region: text(row, 'region'),
    input: text(row, 'input'),
    sinceMs: count(row, 'since_ms'),
  }
}

export function openChange(row: Row): OpenChange {
  return {
    id: text(row, 'id'),
    change: JSON.parse(text(row, 'change')) as OpenChange['change'],
    acts: JSON.parse(text(row, 'acts')) as OpenChange['acts'],
    openedAtMs: count(row, 'opened_at_ms'),
    expiresAtMs: count(row, 'expires_at_ms'),
    dueAtMs: row['due_at_ms'] === null ? null : count(row, 'due_at_ms'),
  }
}

export function signIn(row: Row): SignInRow {
  return {
    tokenSha256: text(row, 'token_sha256'),
    kind: text(row, 'kind') as SignInRow['kind'],
    person: text(row, 'person'),
    key: textOrNull(row, 'key_fingerprint'),
    peer: textOrNull(row, 'peer'),
    expiresAtMs: count(row, 'expires_at_ms'),
  }
}

export function denial(row: Row): DenialRow {
  return {
    requestId: text(row, 'request_id'),
    operator: text(row, 'operator'),
    service: text(row, 'service'),
    effects: list(row, 'effects'),
    resources: list(row, 'resources'),
    deniedBy: text(row, 'denied_by'),
    comment: text(row, 'comment'),
    atMs: count(row, 'at_ms'),
    untilMs: count(row, 'until_ms'),
  }
}

export function escalation(row: Row): EscalationRow {
  return {
    requestId: text(row, 'request_id'),
    team: text(row, 'team'),
    dueAtMs: count(row, 'due_at_ms'),
    atMs: row['at_ms'] === null ? null : count(row, 'at_ms'),
    alternative: row['alternative'] === null ? null : list(row, 'alternative'),
  }
}

export function plan(row: Row): PlanRow {
  return {
    id: text(row, 'id'),
    sessionId: text(row, 'session_id'),
    operator: text(row, 'operator'),
    state: text(row, 'state') as PlanState,
    reason: text(row, 'reason'),
    epoch: count(row, 'epoch'),
    openedAtMs: count(row, 'opened_at_ms'),
    stoppedAt: row['stopped_at'] === null ? null : count(row, 'stopped_at'),
    why: textOrNull(row, 'why'),
  }
}

export function planStep(row: Row): PlanStepRow {
  return {
    number: count(row, 'number'),
    operation: text(row, 'operation'),
    actionDigest: text(row, 'action_digest'),
    digest: text(row, 'digest'),
    follows: JSON.parse(text(row, 'follows')) as number[],
    content: text(row, 'content'),
    state: text(row, 'state') as PlanStepRow['state'],
  }
}

export function breakGlass(row: Row): BreakGlassRow {
  return {
    id: text(row, 'id'),
    sessionId: text(row, 'session_id'),
    operator: text(row, 'operator'),
    reason: text(row, 'reason'),
    effects: list(row, 'effects'),
    resources: list(row, 'resources'),
    strength: text(row, 'strength') as BreakGlassRow['strength'],
    epoch: count(row, 'epoch'),
    openedAtMs: count(row, 'opened_at_ms'),
    untilMs: count(row, 'until_ms'),
    effectsMax: count(row, 'effects_max'),
    used: count(row, 'used'),
    closedAtMs: row['closed_at_ms'] === null ? null : count(row, 'closed_at_ms'),
  }
}

export function touch(row: Row): TouchRow {
  return {
    requestId: text(row, 'request_id'),
    sessionId: text(row, 'session_id'),
    operator: text(row, 'operator'),
    operation: text(row, 'operation'),
    does: row['does'] === 'makes' ? 'makes' : 'removes',
    resource: text(row, 'resource'),
    atMs: count(row, 'at_ms'),
    untilMs: count(row, 'until_ms'),
  }
}
