-- One text for SQLite and PostgreSQL: TEXT ids, BIGINT milliseconds, TEXT for JSON, BIGINT 0/1 for yes and no.
-- The checks repeat the tables in core/src/states, so that no program's mistake can write another state.

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    telegram_id BIGINT NOT NULL UNIQUE,
    username TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT,
    language TEXT NOT NULL CHECK (language IN ('en', 'ru')),
    role TEXT NOT NULL CHECK (role IN ('guest', 'viewer', 'operator', 'admin')),
    blocked BIGINT NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    created_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);

-- The first admin's code is an invite that nobody made. Codes are kept as keyed hashes only.
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    code_hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    made_by TEXT REFERENCES users (id),
    expires_at BIGINT NOT NULL,
    used_by TEXT REFERENCES users (id),
    used_at BIGINT
);

-- A program's way in. The secret is kept as its SHA-256 only; a name is never used twice.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    hash TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    target TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requester TEXT REFERENCES users (id),
    token TEXT REFERENCES tokens (id),
    status TEXT NOT NULL CHECK (status IN ('asked', 'approved', 'refused', 'expired', 'used')),
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    warned BIGINT NOT NULL DEFAULT 0 CHECK (warned IN (0, 1)),
    decided_by TEXT,
    decided_at BIGINT,
    outcome TEXT,
    job TEXT,
    -- Keyed code over what was approved, by whom and for which job: a row without it allows nothing.
    seal TEXT
);
CREATE INDEX approvals_open ON approvals (expires_at) WHERE status = 'asked';
-- The same plan asked twice is one question.
CREATE UNIQUE INDEX approvals_one_question ON approvals (plan_hash) WHERE status = 'asked';

CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    address TEXT,
    label TEXT NOT NULL,
    labels TEXT NOT NULL DEFAULT '{}',
    size TEXT NOT NULL,
    os TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('discovered', 'pending_setup', 'provisioning', 'force_rebuild', 'ready',
        'in_use', 'error', 'maintenance', 'reserved', 'decommissioned')),
    managed BIGINT NOT NULL CHECK (managed IN (0, 1)),
    host_key TEXT,
    provisioning_attempts BIGINT NOT NULL DEFAULT 0 CHECK (provisioning_attempts >= 0),
    rebuild_approval TEXT REFERENCES approvals (id),
    missing_since BIGINT,
    misses BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_verified_at BIGINT,
    UNIQUE (provider, provider_id)
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT REFERENCES servers (id),
    params TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'parked')),
    step TEXT,
    reason TEXT,
    outcome TEXT,
    failed_step TEXT,
    ending TEXT CHECK (ending IN ('failed', 'cancelled')),
    cancel_requested BIGINT NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    run_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    lease_epoch BIGINT NOT NULL DEFAULT 0,
    requested_by TEXT NOT NULL,
    requester TEXT REFERENCES users (id),
    approval TEXT REFERENCES approvals (id),
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    CHECK ((status = 'running') = (lease_until IS NOT NULL))
);
-- The promise itself: no second active job on one server, whatever a program believes. A job that began and is queued
-- again (handed over, sent on, called off) keeps its server.
CREATE UNIQUE INDEX jobs_one_active_per_target ON jobs (target)
    WHERE status IN ('running', 'waiting', 'parked') OR (status = 'queued' AND started_at IS NOT NULL);
CREATE UNIQUE INDEX jobs_one_queued_per_target ON jobs (target, kind) WHERE status = 'queued';
-- One approval starts one job.
CREATE UNIQUE INDEX jobs_one_per_approval ON jobs (approval) WHERE approval IS NOT NULL;
-- Claims read only this, in its order. SQLite takes it for a query that repeats its condition word for word.
CREATE INDEX jobs_open ON jobs (run_at, id) WHERE status IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_by_target ON jobs (target, id);

CREATE TABLE job_steps (
    job TEXT NOT NULL REFERENCES jobs (id),
    seq BIGINT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('started', 'waiting', 'done', 'failed', 'undoing', 'undone')),
    attempt BIGINT NOT NULL,
    data TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (job, seq)
);

CREATE TABLE job_events (
    job TEXT NOT NULL REFERENCES jobs (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('detail', 'info', 'warning', 'error')),
    message TEXT NOT NULL,
    elapsed_ms BIGINT NOT NULL,
    PRIMARY KEY (job, seq)
);

-- What happened, for whoever follows along; core/src/store/events.rs says what (pos, n) is. The first row is there so that
-- the place before the first event is a place.
CREATE TABLE events (
    pos BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    topic TEXT NOT NULL CHECK (topic IN ('job', 'server', 'incident', 'approval', '')),
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (pos, n)
);
CREATE INDEX events_by_subject ON events (subject, pos, n);
INSERT INTO events (pos, n, at, topic, subject, body) VALUES (0, 0, 0, '', '', '');

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    server TEXT REFERENCES servers (id),
    kind TEXT NOT NULL CHECK (kind IN ('identity_mismatch', 'provisioning_failed', 'provider_api_unavailable',
        'server_missing')),
    status TEXT NOT NULL CHECK (status IN ('detected', 'recovering', 'resolved', 'failed')),
    details TEXT NOT NULL,
    detected_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (COALESCE(server, ''), kind) WHERE status <> 'resolved';

-- Append-only; each row's code covers the row and the code before it.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    mac TEXT NOT NULL
);
-- The end of the chain, with a code of its own, so that the chain cannot be cut short and the head set back.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    mac TEXT NOT NULL,
    seal TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, mac, seal) VALUES (1, 0, '', '');

-- Which master key this database was written with: a keyed code of a constant.
CREATE TABLE key_check (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    mac TEXT NOT NULL
);

-- A message to one chat. The wanted version is `revision`; what the chat shows is `sent_revision`.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    chat BIGINT NOT NULL,
    key TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('critical', 'reply', 'error', 'warning', 'info')),
    rank BIGINT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'folded', 'undeliverable')),
    revision BIGINT NOT NULL,
    sent_revision BIGINT NOT NULL,
    -- A long text is several messages: how many of this revision's are sent.
    parts_sent BIGINT NOT NULL DEFAULT 0,
    -- Telegram refused this revision's markup: it goes out as plain text.
    plain BIGINT NOT NULL DEFAULT 0 CHECK (plain IN (0, 1)),
    message_id BIGINT,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    error TEXT,
    UNIQUE (chat, key)
);
CREATE INDEX outbox_due ON outbox (chat, rank, created_at, id) WHERE status = 'pending';
CREATE INDEX outbox_by_key ON outbox (key);
CREATE INDEX outbox_by_message ON outbox (chat, message_id);
CREATE INDEX outbox_spent ON outbox (chat, sent_at);

-- Telegram told us to be quiet: toward one chat, or (chat 0) toward all.
CREATE TABLE chat_pauses (
    chat BIGINT PRIMARY KEY,
    until_at BIGINT NOT NULL
);

-- What arrived from Telegram, and what it caused: an update that arrives twice is handled once.
CREATE TABLE updates (
    update_id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    caused TEXT NOT NULL
);

-- Requests with a key: the same key and input give the same answer.
CREATE TABLE requests (
    key TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Roles that only one replica may have at a time.
CREATE TABLE leases (
    role TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    until_at BIGINT NOT NULL
);

CREATE TABLE secrets (
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    column_name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (table_name, row_id, column_name)
);
