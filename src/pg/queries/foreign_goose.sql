-- What goose says was applied: the last row of a version counts, and 0 is a mark.
-- After WITH t AS (SELECT * FROM goose_db_version)
SELECT version_id::text, 'applied', NULL, version_id::text
FROM (SELECT DISTINCT ON (version_id) * FROM t ORDER BY version_id, id DESC) AS last
WHERE is_applied AND version_id > 0
ORDER BY id
