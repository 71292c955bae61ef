// The tables, as forward-only migrations. Portable SQL only: ids are made by the gate, changes are
// one-statement conditional updates, nothing relies on triggers, sequences or foreign keys. Times and counters are
// BIGINT: INTEGER has 32 bits on PostgreSQL.
import { GatewayError } from '../errors.ts'

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE epochs (
    number INTEGER PRIMARY KEY, version TEXT NOT NULL, content TEXT NOT NULL,
    activated_at_ms BIGINT NOT NULL
  );
  CREATE TABLE people (name TEXT PRIMARY KEY, teams TEXT NOT NULL, added_at_ms BIGINT NOT NULL);
  CREATE TABLE person_keys (
    fingerprint TEXT PRIMARY KEY, person TEXT NOT NULL, public_key TEXT NOT NULL
  );
  CREATE TABLE nonces (nonce TEXT PRIMARY KEY, used_at_ms BIGINT NOT NULL);
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, access_key_id TEXT NOT NULL UNIQUE, secret_access_key TEXT NOT NULL,
    mask_key TEXT NOT NULL, agent TEXT NOT NULL, operator TEXT NOT NULL, role_name TEXT NOT NULL,
    role_arn TEXT NOT NULL, opened_at_ms BIGINT NOT NULL, expires_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT
  );
  CREATE TABLE requests (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, operator TEXT NOT NULL, operation TEXT NOT NULL,
    action_digest TEXT NOT NULL, digest TEXT NOT NULL, epoch INTEGER NOT NULL, state TEXT NOT NULL,
    document_sha256 TEXT NOT NULL, requirement TEXT NOT NULL, opened_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL, closed_by TEXT, comment TEXT
  );
  CREATE INDEX requests_by_action ON requests (session_id, action_digest, epoch, opened_at_ms);
  CREATE INDEX requests_by_state ON requests (state, expires_at_ms);
  CREATE TABLE reviews (
    request_id TEXT NOT NULL, reviewer TEXT NOT NULL, verdict TEXT NOT NULL, strength TEXT NOT NULL,
    at_ms BIGINT NOT NULL, PRIMARY KEY (request_id, reviewer)
  );
  CREATE TABLE grants (
    id TEXT PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL,
    digest TEXT NOT NULL, epoch INTEGER NOT NULL, state TEXT NOT NULL, expires_at_ms BIGINT NOT NULL
  );
  CREATE TABLE effects (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, operation TEXT NOT NULL, state TEXT NOT NULL
  );
  CREATE INDEX effects_open ON effects (state);
  CREATE TABLE signatures (sha256 TEXT PRIMARY KEY, used_at_ms BIGINT NOT NULL);
  `,
  `
  ALTER TABLE sessions ADD COLUMN parent TEXT;
  CREATE INDEX sessions_by_parent ON sessions (parent);
  `,
  `
  CREATE TABLE followed (
    effect_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, operation TEXT NOT NULL,
    region TEXT NOT NULL, input TEXT NOT NULL, since_ms BIGINT NOT NULL
  );
  `,
  `
  CREATE TABLE uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, object_key TEXT NOT NULL, session_id TEXT NOT NULL,
    created TEXT NOT NULL, at_ms BIGINT NOT NULL
  );
  CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT, sha256 TEXT, bytes BIGINT NOT NULL,
    pending INTEGER NOT NULL, uncertain INTEGER NOT NULL, PRIMARY KEY (upload_id, number)
  );
  `,
  `
  ALTER TABLE people ADD COLUMN team_times TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE people ADD COLUMN removed_at_ms BIGINT;
  ALTER TABLE person_keys ADD COLUMN credential_id TEXT;
  ALTER TABLE person_keys ADD COLUMN counter BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE person_keys ADD COLUMN added_at_ms BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE person_keys ADD COLUMN removed_at_ms BIGINT;
  CREATE UNIQUE INDEX person_keys_by_credential ON person_keys (credential_id);
  CREATE INDEX person_keys_by_person ON person_keys (person);
  CREATE TABLE identities (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, added_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT, PRIMARY KEY (issuer, subject)
  );
  CREATE TABLE people_changes (
    id TEXT PRIMARY KEY, change TEXT NOT NULL, acts TEXT NOT NULL, opened_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL, due_at_ms BIGINT
  );
  ALTER TABLE reviews ADD COLUMN key_fingerprint TEXT NOT NULL DEFAULT '';
  CREATE TABLE sign_ins (
    token_sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, person TEXT NOT NULL, key_fingerprint TEXT,
    peer TEXT, expires_at_ms BIGINT NOT NULL
  );
  CREATE INDEX sign_ins_by_person ON sign_ins (person);
  `,
  `
  ALTER TABLE requests ADD COLUMN denied_before TEXT NOT NULL DEFAULT '[]';
  CREATE INDEX requests_by_operator ON requests (operator, opened_at_ms);
  ALTER TABLE grants ADD COLUMN ended_by TEXT;
  ALTER TABLE grants ADD COLUMN ended_why TEXT;
  CREATE INDEX grants_by_state ON grants (state, expires_at_ms);
  CREATE TABLE denials (
    request_id TEXT NOT NULL, operator TEXT NOT NULL, service TEXT NOT NULL, effects TEXT NOT NULL,
    resources TEXT NOT NULL, denied_by TEXT NOT NULL, comment TEXT NOT NULL, at_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL
  );
  CREATE INDEX denials_by_operator ON denials (operator, until_ms);
  CREATE TABLE escalations (
    request_id TEXT NOT NULL, team TEXT NOT NULL, due_at_ms BIGINT NOT NULL, at_ms BIGINT,
    alternative TEXT, PRIMARY KEY (request_id, team)
  );
  CREATE INDEX escalations_due ON escalations (at_ms, due_at_ms);
  `,
  `
  CREATE INDEX requests_by_opening ON requests (opened_at_ms, id);
  CREATE INDEX requests_by_state_opening ON requests (state, opened_at_ms, id);
  CREATE INDEX sessions_by_opening ON sessions (opened_at_ms, id);
  `,
  `
  CREATE TABLE plans (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, epoch INTEGER NOT NULL, opened_at_ms BIGINT NOT NULL, stopped_at INTEGER, why TEXT
  );
  CREATE INDEX plans_by_session ON plans (session_id, state);
  CREATE INDEX plans_by_time ON plans (opened_at_ms);
  CREATE TABLE plan_steps (
    plan_id TEXT NOT NULL, number INTEGER NOT NULL, operation TEXT NOT NULL, action_digest TEXT NOT NULL,
    digest TEXT NOT NULL, follows TEXT NOT NULL, content TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (plan_id, number)
  );
  `,
  `
  CREATE TABLE session_peers (session_id TEXT PRIMARY KEY, peer TEXT NOT NULL);
  `,
  `
  CREATE TABLE break_glasses (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL,
    effects TEXT NOT NULL, resources TEXT NOT NULL, strength TEXT NOT NULL, epoch INTEGER NOT NULL,
    opened_at_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL, effects_max INTEGER NOT NULL,
    used INTEGER NOT NULL, closed_at_ms BIGINT
  );
  CREATE UNIQUE INDEX break_glass_open ON break_glasses (operator) WHERE closed_at_ms IS NULL;
  CREATE INDEX break_glass_by_session ON break_glasses (session_id, until_ms);
  CREATE TABLE break_glass_reviews (
    break_glass_id TEXT NOT NULL, reviewer TEXT NOT NULL, comment TEXT NOT NULL, at_ms BIGINT NOT NULL,
    PRIMARY KEY (break_glass_id, reviewer)
  );
  `,
  `
  ALTER TABLE effects ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
  ALTER TABLE effects ADD COLUMN plan TEXT NOT NULL DEFAULT '';
  CREATE INDEX effects_by_gateway ON effects (gateway);
  ALTER TABLE followed ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
  `,
  `
  CREATE INDEX break_glasses_by_opening ON break_glasses (opened_at_ms, id);
  CREATE INDEX plans_by_opening ON plans (opened_at_ms, id);
  `,
  `
  ALTER TABLE sessions ADD COLUMN suspended_at_ms BIGINT;
  `,
  `
  CREATE TABLE touches (
    request_id TEXT NOT NULL, session_id TEXT NOT NULL, operator TEXT NOT NULL, operation TEXT NOT NULL,
    does TEXT NOT NULL, resource TEXT NOT NULL, at_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL
  );
  CREATE INDEX touches_by_resource ON touches (operator, resource, until_ms);
  CREATE INDEX touches_by_request ON touches (request_id);
  `,
  `
  CREATE TABLE owed (
    id TEXT PRIMARY KEY, entry TEXT NOT NULL, since_ms BIGINT NOT NULL, position INTEGER NOT NULL,
    gateway TEXT NOT NULL
  );
  CREATE INDEX owed_by_gateway ON owed (gateway, since_ms);
  CREATE INDEX plans_by_state ON plans (state);
  CREATE INDEX signatures_by_time ON signatures (used_at_ms);
  CREATE INDEX nonces_by_time ON nonces (used_at_ms);
  `,
  `
  CREATE INDEX sessions_open ON sessions (expires_at_ms) WHERE closed_at_ms IS NULL;
  `,
  `
  ALTER TABLE sessions ADD COLUMN task TEXT;
  ALTER TABLE sessions ADD COLUMN instigators TEXT NOT NULL DEFAULT '[]';
  `,
]

export function newerDatabase(version: number): GatewayError {
  return new GatewayError(
    'state_error',
    `the state database has version ${version}, this build knows ${MIGRATIONS.length}`,
    'start the newer Seconder that wrote it',
  )
}
