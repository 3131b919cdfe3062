-- What each resync has done to this twin. tables is a list of {schema, name, prod, twin,
-- rows}: prod and twin are OIDs.
DO $$ BEGIN
    IF to_regnamespace('revtwin') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS revtwin;
    END IF;
END $$;
CREATE TABLE revtwin.receipt (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_at         timestamptz NOT NULL,
    system           text,
    timeline         text,
    started          text,
    database         text,
    snapshot         pg_snapshot,
    lsn              pg_lsn,
    twin_xid         xid8 NOT NULL,
    twin_snapshot    pg_snapshot NOT NULL,
    twin_system      text,
    twin_database    text,
    method           text NOT NULL,
    why              text,
    incremental_runs integer NOT NULL,
    verified         boolean NOT NULL,
    rows_read        bigint NOT NULL,
    rows_written     bigint NOT NULL,
    bytes_read       bigint NOT NULL,
    bytes_written    bigint NOT NULL,
    seconds          double precision NOT NULL,
    revtwin_version  text NOT NULL,
    tables           jsonb NOT NULL
);
COMMENT ON TABLE revtwin.receipt IS
    'What each of the last runs of revtwin resync has done to this twin'
