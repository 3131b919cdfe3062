-- What sqlx says was applied. After WITH t AS (SELECT * FROM _sqlx_migrations)
SELECT version::text, CASE WHEN success THEN 'applied' ELSE 'failed' END,
       encode(checksum, 'hex'), version || ' ' || description
FROM t
ORDER BY version
