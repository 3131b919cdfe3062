-- What node-pg-migrate says was applied. After WITH t AS (SELECT * FROM pgmigrations)
SELECT name, 'applied', NULL, name
FROM t
ORDER BY id
