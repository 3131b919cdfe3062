-- What makes a database a twin: one row that says what it is a copy of, and as of when.
CREATE SCHEMA IF NOT EXISTS revtwin;
CREATE TABLE IF NOT EXISTS revtwin.twin (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    source          text NOT NULL,
    snapshot_at     timestamptz NOT NULL,
    lsn             pg_lsn,
    method          text NOT NULL,
    revtwin_version text NOT NULL,
    adopted_at      timestamptz NOT NULL,
    resynced_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE revtwin.twin IS
    'This database is a twin, replaced as a whole by: revtwin resync';
DELETE FROM revtwin.twin
