-- An object of every kind that pg_dump dumps; changes.sql changes each of them.
CREATE SCHEMA app;
CREATE SCHEMA "Odd ""Name";
COMMENT ON SCHEMA app IS 'it''s ours';
CREATE EXTENSION citext WITH SCHEMA app;
CREATE EXTENSION postgres_fdw;

CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE app.pair AS (a integer, b text COLLATE "C");
CREATE TYPE app.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE app.shell;
CREATE TYPE app.tiny;
CREATE FUNCTION app.tiny_in(cstring) RETURNS app.tiny
    LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION app.tiny_out(app.tiny) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE app.tiny (INPUT = app.tiny_in, OUTPUT = app.tiny_out, INTERNALLENGTH = 4,
                      PASSEDBYVALUE, ALIGNMENT = int4, DEFAULT = '7');
CREATE DOMAIN app.email AS text DEFAULT 'x@y' NOT NULL CHECK (VALUE ~ '@')
    CONSTRAINT short CHECK (length(VALUE) < 99);
CREATE COLLATION app.german (PROVIDER = icu, LOCALE = 'de', DETERMINISTIC = false);
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.changed := now(); RETURN NEW; END$$;
CREATE FUNCTION app.add(a integer, b integer DEFAULT 1) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET work_mem = '8MB' AS 'SELECT a + b';
CREATE FUNCTION app.body(a integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT a + 1; SELECT a + 2; END;
CREATE PROCEDURE app.clean(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0',
                                     COMBINEFUNC = int4pl, PARALLEL = safe);
CREATE FUNCTION app.eq(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT $1.a = $2.a';
CREATE FUNCTION app.cmp(app.pair, app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS
    'SELECT $1.a - $2.a';
CREATE FUNCTION app.hash(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS
    'SELECT hashint4($1.a)';
CREATE OPERATOR app.=== (FUNCTION = app.eq, LEFTARG = app.pair, RIGHTARG = app.pair,
                         COMMUTATOR = OPERATOR(app.===), HASHES);
CREATE OPERATOR FAMILY app.pairs USING btree;
CREATE OPERATOR CLASS app.pair_hash FOR TYPE app.pair USING hash AS
    OPERATOR 1 app.===, FUNCTION 1 app.hash(app.pair);
CREATE FUNCTION app.to_int(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS
    'SELECT $1.a';
CREATE CAST (app.pair AS integer) WITH FUNCTION app.to_int(app.pair) AS ASSIGNMENT;
CREATE FUNCTION app.handler() RETURNS language_handler
    LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.validator(oid) RETURNS void
    LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE plother HANDLER app.handler;
CREATE FUNCTION app.from_sql(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS
    'prsd_lextype';
CREATE TRANSFORM FOR integer LANGUAGE plother (FROM SQL WITH FUNCTION app.from_sql(internal));
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;

CREATE SEQUENCE app.tickets AS bigint START 5 INCREMENT 2 CACHE 3;
CREATE TABLE app.users (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email app.email,
    name text COLLATE "C" NOT NULL DEFAULT 'nobody',
    nick app.citext UNIQUE,
    mood app.mood,
    born timestamptz DEFAULT '2001-02-03 04:05:06+01',
    years integer,
    twice integer GENERATED ALWAYS AS (years * 2) STORED,
    changed timestamptz,
    blob bytea,
    gone integer,
    CONSTRAINT grown CHECK (years > 0)
);
ALTER TABLE app.users DROP COLUMN gone, ADD COLUMN late integer;
ALTER TABLE app.users ALTER COLUMN blob SET STORAGE EXTERNAL;
ALTER TABLE app.users ALTER COLUMN name SET STATISTICS 200;
ALTER TABLE app.users ALTER COLUMN name SET (n_distinct = 5);
CREATE TABLE app.orders (
    id bigserial PRIMARY KEY,
    user_id integer REFERENCES app.users ON DELETE CASCADE DEFERRABLE,
    during tsrange,
    note text,
    CONSTRAINT apart EXCLUDE USING gist (during WITH &&)
) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE app.orders ADD CONSTRAINT noted CHECK (note <> '') NOT VALID;
CREATE TABLE "Odd ""Name"."T.1 'x'" ("A b" integer, "select" text);
CREATE TABLE app.empty ();
CREATE UNLOGGED TABLE app.scratch (a integer);
CREATE TABLE app.typed OF app.pair;
CREATE TABLE app.am (a integer) USING heap2;
CREATE TABLE app.parent (a integer NOT NULL, b text DEFAULT 'p');
CREATE TABLE app.child (c integer) INHERITS (app.parent);
CREATE TABLE app.events (id integer NOT NULL, at date NOT NULL, who integer,
                         PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_1 PARTITION OF app.events
    FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.events_2 (at date NOT NULL, id integer NOT NULL, who integer);
ALTER TABLE app.events ATTACH PARTITION app.events_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT;
ALTER TABLE app.events ADD FOREIGN KEY (who) REFERENCES app.users;
CREATE TABLE app.log (a integer);
ALTER TABLE app.log REPLICA IDENTITY FULL;

CREATE INDEX orders_note ON app.orders (lower(note) text_pattern_ops) WHERE note <> '';
ALTER INDEX app.orders_note ALTER COLUMN 1 SET STATISTICS 50;
CREATE UNIQUE INDEX users_years ON app.users (years) INCLUDE (name) WITH (fillfactor = 60);
CREATE INDEX events_who ON app.events (who);
CREATE UNIQUE INDEX child_a ON app.child (a);
ALTER TABLE app.child CLUSTER ON child_a;
ALTER TABLE app.child REPLICA IDENTITY USING INDEX child_a;
CREATE STATISTICS app.together (dependencies) ON name, years FROM app.users;
CREATE STATISTICS app.computed ON (years + 1), name FROM app.users;

CREATE VIEW app.grown_ups WITH (security_barrier = true) AS
    SELECT id, name FROM app.users WHERE years > 17 WITH LOCAL CHECK OPTION;
ALTER VIEW app.grown_ups ALTER COLUMN name SET DEFAULT 'adult';
CREATE VIEW app.joined AS
    SELECT u.id, o.note FROM app.users u JOIN app.orders o ON o.user_id = u.id;
CREATE MATERIALIZED VIEW app.per_year AS SELECT years, count(*) FROM app.users GROUP BY 1;
CREATE UNIQUE INDEX per_year_key ON app.per_year (years);
CREATE MATERIALIZED VIEW app.names AS SELECT name FROM app.users WITH NO DATA;
ALTER MATERIALIZED VIEW app.names ALTER COLUMN name SET (n_distinct = 5);
CREATE FUNCTION app.with_citext() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION app.with_citext() DEPENDS ON EXTENSION citext;

CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION app.touch();
ALTER TABLE app.users DISABLE TRIGGER touch;
CREATE TRIGGER seen BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE ignore AS ON DELETE TO app.log DO INSTEAD NOTHING;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.orders AS RESTRICTIVE FOR UPDATE TO postgres
    USING (user_id = 1) WITH CHECK (note <> 'x');
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';

CREATE TEXT SEARCH TEMPLATE app.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.words (TEMPLATE = app.template, ACCEPT = false);
CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken,
                                      END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.parser);
ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR word, email WITH app.words, simple;

CREATE FOREIGN DATA WRAPPER mine OPTIONS (a 'b');
CREATE SERVER far TYPE 'big' VERSION '1' FOREIGN DATA WRAPPER mine OPTIONS (host 'h', password 'hidden');
CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'u', password 'hidden');
CREATE FOREIGN TABLE app.outside (a integer OPTIONS (x 'y') NOT NULL) SERVER far OPTIONS (z '1');

COMMENT ON TABLE app.users IS E'two\nlines \\ of it';
COMMENT ON COLUMN app.users.name IS 'how we call them';
COMMENT ON FUNCTION app.add(integer, integer) IS 'adds';
COMMENT ON CONSTRAINT grown ON app.users IS 'old enough';
COMMENT ON INDEX app.orders_note IS 'search';
COMMENT ON TYPE app.pair IS 'two';
COMMENT ON COLUMN app.pair.a IS 'first of two';
COMMENT ON TRIGGER touch ON app.users IS 'touches';
COMMENT ON VIEW app.joined IS 'both';
COMMENT ON EXTENSION citext IS 'not copied, so it does not count';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
    EXECUTE FUNCTION app.watch();
ALTER EVENT TRIGGER watch DISABLE;
