-- What dbmate says was applied. After WITH t AS (SELECT * FROM schema_migrations)
SELECT version, 'applied', NULL, version
FROM t
ORDER BY version
