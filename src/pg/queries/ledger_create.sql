-- The ledger, the list of failed attempts and that of steps, made on first use. The lock
-- keeps two first runs apart even where a pooler takes session locks away. A later format may
-- add columns but keeps these, so that an older revtwin can tell that it is one.
-- The transaction stays open: the first rows may belong to it.
BEGIN;
SET LOCAL lock_timeout = '30s';
SELECT pg_advisory_xact_lock(8243124935563243009);
-- Asked first, because IF NOT EXISTS needs the right to create schemas all the same.
DO $$ BEGIN
    IF to_regnamespace('revtwin') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS revtwin;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS revtwin.ledger (
    format          integer NOT NULL,
    seq             bigint PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('applied', 'baseline', 'amended',
                                                  'resolved', 'forgotten', 'skipped')),
    path            text NOT NULL,
    algorithm       text NOT NULL,
    checksum        text NOT NULL,
    statements      bigint NOT NULL,
    commit_oid      text NOT NULL,
    pull_request    bigint,
    applied_at      timestamptz NOT NULL,
    duration        interval,
    applied_by      text NOT NULL,
    client          text NOT NULL,
    revtwin_version text NOT NULL,
    reason          text,
    xid             bigint NOT NULL,
    prev_hash       text NOT NULL UNIQUE,
    entry_hash      text NOT NULL UNIQUE,
    signature       text
);
COMMENT ON TABLE revtwin.ledger IS
    'What happened to each migration, append-only: each row carries the hash of the row before it. Check it with: revtwin verify';
-- What was wrong is set right by another row, never by changing one.
CREATE OR REPLACE FUNCTION revtwin.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'revtwin.ledger is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'revtwin amend accepts a file that was changed, revtwin resolve settles one that stopped: each appends a row.';
END $$;
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger
                   WHERE tgrelid = 'revtwin.ledger'::regclass AND tgname = 'append_only') THEN
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON revtwin.ledger
            FOR EACH STATEMENT EXECUTE FUNCTION revtwin.refuse_change();
        ALTER TABLE revtwin.ledger ENABLE ALWAYS TRIGGER append_only;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS revtwin.attempt (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    failed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    path         text NOT NULL,
    commit_oid   text NOT NULL,
    line         bigint,
    sqlstate     text,
    message      text NOT NULL,
    client       text NOT NULL
);
COMMENT ON TABLE revtwin.attempt IS 'Migrations that failed and were rolled back.';
CREATE TABLE IF NOT EXISTS revtwin.step (
    path          text NOT NULL,
    statement     integer NOT NULL,
    statements    integer NOT NULL,
    checksum      text NOT NULL, -- of the statement
    file_checksum text NOT NULL,
    commit_oid    text NOT NULL,
    state         text NOT NULL CHECK (state IN ('started', 'done', 'failed')),
    version       bigint NOT NULL, -- how often this row was written
    object        text,            -- that the statement makes or takes away
    found         boolean,         -- whether that was there before it was first started
    line          bigint,
    sqlstate      text,
    message       text,
    client        text NOT NULL,
    started_by    text NOT NULL DEFAULT session_user,
    pid           integer NOT NULL,
    started_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    PRIMARY KEY (path, statement)
);
COMMENT ON TABLE revtwin.step IS
    'Migrations under way or stopped that run without a transaction, statement by statement.';
