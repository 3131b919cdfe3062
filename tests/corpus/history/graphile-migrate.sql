CREATE TABLE graphile_migrate.migrations (
    hash text NOT NULL,
    previous_hash text,
    filename text NOT NULL,
    date timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO graphile_migrate.migrations VALUES ('sha1:7fe72b14925e933b14550e9611e4da6cb00dc4ad', NULL, '000001.sql', '2026-11-21 10:02:39.354455+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:e9158e9383f088dc5c3f0aac993e934a1cce1345', 'sha1:7fe72b14925e933b14550e9611e4da6cb00dc4ad', '000002.sql', '2026-11-21 10:02:40.022281+00');
ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_previous_hash_fkey FOREIGN KEY (previous_hash) REFERENCES graphile_migrate.migrations(hash);
