-- The newest failed attempt of each path.
SELECT DISTINCT ON (path) path,
       to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       coalesce(line::text, ''), coalesce(sqlstate, ''), message, client
FROM revtwin.attempt
ORDER BY path, id DESC
