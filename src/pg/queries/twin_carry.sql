-- The statements that give database $2 what database $1 has as a database: rights,
-- connection limit, settings for all and for single roles, and last its owner. Those that
-- it was built with go first.
-- Settings that are lists of names are stored quoted; taken apart as pg_dump does.
WITH twin AS (
    SELECT d.*, o.rolname AS owner
    FROM pg_catalog.pg_database d
    JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
    WHERE d.datname = $1
), setting AS (
    SELECT s.setrole, r.rolname, c.place,
           left(c.item, strpos(c.item, '=') - 1) AS name,
           substr(c.item, strpos(c.item, '=') + 1) AS value
    FROM twin
    JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = twin.oid
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    CROSS JOIN LATERAL unnest(s.setconfig) WITH ORDINALITY AS c (item, place)
), statement (step, place, sql) AS (
    SELECT 0, 0, format('ALTER DATABASE %I RESET ALL', $2::text)
    UNION ALL
    SELECT 1, 0, format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $2::text)
    FROM twin
    WHERE datacl IS NOT NULL
    UNION ALL
    SELECT 2, 0, format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $2,
                        CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                       ELSE quote_ident(r.rolname) END,
                        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM twin
    CROSS JOIN LATERAL aclexplode(twin.datacl) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> twin.datdba
    UNION ALL
    SELECT 3, 0, format('ALTER DATABASE %I CONNECTION LIMIT %s', $2, datconnlimit)
    FROM twin
    WHERE datconnlimit >= 0
    UNION ALL
    SELECT CASE setrole WHEN 0 THEN 4 ELSE 5 END, place,
           CASE setrole WHEN 0 THEN format('ALTER DATABASE %I', $2)
                        ELSE format('ALTER ROLE %I IN DATABASE %I', rolname, $2) END
           || format(' SET %I TO ', name)
           || CASE WHEN lower(name) IN ('search_path', 'temp_tablespaces',
                                        'local_preload_libraries',
                                        'session_preload_libraries')
                   THEN (SELECT coalesce(string_agg(quote_literal(coalesce(
                                    replace(m[1], '""', '"'), m[2])), ', ' ORDER BY n),
                                '''''')
                         FROM regexp_matches(value,
                                  '"((?:[^"]|"")*)"|([^",[:space:]]+)', 'g')
                              WITH ORDINALITY AS x (m, n))
                   ELSE quote_literal(value) END
    FROM setting
    UNION ALL
    SELECT 6, 0, format('ALTER DATABASE %I OWNER TO %I', $2, owner)
    FROM twin
    WHERE owner <> current_user
)
SELECT sql FROM statement ORDER BY step, place, sql
