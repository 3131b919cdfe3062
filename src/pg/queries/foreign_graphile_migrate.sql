-- What graphile-migrate says was applied.
-- After WITH t AS (SELECT * FROM graphile_migrate.migrations)
SELECT filename, 'applied', hash, filename
FROM t
ORDER BY filename
