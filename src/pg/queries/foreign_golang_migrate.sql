-- What golang-migrate says was applied: its one row has the version that it came to.
-- After WITH t AS (SELECT * FROM schema_migrations)
SELECT version::text,
       CASE WHEN dirty OR count(*) OVER () > 1 THEN 'failed' ELSE 'applied' END,
       NULL, version::text
FROM t
UNION ALL
SELECT version::text, 'below', NULL, version::text
FROM t
