CREATE TABLE public._prisma_migrations (
    id character varying(36) NOT NULL,
    checksum character varying(64) NOT NULL,
    finished_at timestamp with time zone,
    migration_name character varying(255) NOT NULL,
    logs text,
    rolled_back_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_steps_count integer DEFAULT 0 NOT NULL
);
INSERT INTO public._prisma_migrations VALUES ('24d35e2a-5829-4098-9ba6-1367084b14c5', 'a99b053b54c8efd8f869b0f52aeb1e8e564b3e244486b65e31f35d806180ab8a', '2026-11-21 10:02:33.958+00', '20240101000000_a', NULL, NULL, '2026-11-21 10:02:33.951+00', 1);
INSERT INTO public._prisma_migrations VALUES ('232e4fd2-6776-4d88-a6be-4329a7c11cf9', 'ac88c17e3cae8c1c9aaa4f7a0bff44cfabdf1a9678f8b7af5e7201705e561865', '2026-11-21 10:02:33.963+00', '20240102000000_b', NULL, NULL, '2026-11-21 10:02:33.959+00', 1);
INSERT INTO public._prisma_migrations VALUES ('f1227fb2-9c2d-4e34-939c-63f8d8f52b25', '7238410929632219c2a28f784b404ec06f0f11c77d76fa97915b3c0f02d0c3ff', NULL, '20240103000000_c', 'external connector error
Error querying the database: ERROR: division by zero
   0: sql_schema_connector::apply_migration::apply_script
           with migration_name="20240103000000_c"
             at schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113
   1: schema_commands::commands::apply_migrations::Applying migration
           with migration_name="20240103000000_c"
             at schema-engine/commands/src/commands/apply_migrations.rs:95
   2: schema_engine_wasm::wasm::engine::ApplyMigrations
             at schema-engine/schema-engine-wasm/src/wasm/engine.rs:167', '2026-11-21 10:02:34.853+00', '2026-11-21 10:02:33.965+00', 0);
INSERT INTO public._prisma_migrations VALUES ('0a4ab61d-5485-488c-a3c1-7df5506353d7', '32c599b3dc957e694cbdc5966bcbcccc21cb9da70fb6067e43fb2625e335859d', '2026-11-21 10:02:35.716+00', '20240103000000_c', '', NULL, '2026-11-21 10:02:35.716+00', 0);
INSERT INTO public._prisma_migrations VALUES ('82ff8d27-f049-4988-8b1c-6448ef5df607', '07b9fc15548d7ead38591a132990a18c56b26c086346aecf741a4a895c96bef9', '2026-11-21 10:02:36.712+00', '20240104000000_d', NULL, NULL, '2026-11-21 10:02:36.699+00', 1);
ALTER TABLE ONLY public._prisma_migrations
    ADD CONSTRAINT _prisma_migrations_pkey PRIMARY KEY (id);
