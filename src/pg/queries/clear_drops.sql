-- The statements that empty a database for a copy of another one, in order, each with what
-- of it this role may not drop, or NULL; without a statement, what stays for that reason.
-- $1, $2, $3: names, schemas and versions of the extensions that the copy has. Those are
-- left where they are, and so is one that is not this role's to drop; schemas that such a
-- one is in are emptied, as are public and revtwin, and the others go. What revtwin keeps
-- about the twin itself stays.
WITH wanted AS (
    SELECT *
    FROM unnest($1::text::text[], $2::text::text[], $3::text::text[])
         AS w (name, schema, version)
), extension AS (
    SELECT e.oid, e.extname, e.extversion, e.extowner, e.extnamespace, w.version,
           e.oid >= 16384 AND pg_has_role(e.extowner, 'USAGE') AS mine
    FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    LEFT JOIN wanted w ON w.name = e.extname AND w.schema = n.nspname
), member AS MATERIALIZED (
    SELECT d.classid, d.objid, e.version IS NOT NULL OR NOT e.mine AS stays
    FROM extension e
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass
                               AND d.refobjid = e.oid AND d.deptype = 'e'
), owner AS MATERIALIZED (
    SELECT classid, objid, refobjid AS oid
    FROM pg_catalog.pg_shdepend
    WHERE dbid = (SELECT oid FROM pg_catalog.pg_database
                  WHERE datname = current_database())
      AND refclassid = 'pg_catalog.pg_authid'::regclass AND deptype = 'o'
), schema AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, pg_has_role(n.nspowner, 'USAGE') AS mine,
           n.nspname IN ('public', 'revtwin')
           OR n.oid IN (SELECT extnamespace FROM extension
                        WHERE version IS NOT NULL OR NOT mine)
           OR n.oid IN (SELECT objid FROM member
                        WHERE stays AND classid = 'pg_catalog.pg_namespace'::regclass)
           OR n.oid IN (SELECT d.refobjid
                        FROM pg_catalog.pg_depend d
                        JOIN member USING (classid, objid)
                        WHERE stays AND d.refclassid = 'pg_catalog.pg_namespace'::regclass)
           AS stays
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
), object (class, oid, mine) AS (
    -- What is in a schema depends on it.
    SELECT d.classid, d.objid, s.mine
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
                               AND d.refobjid = s.oid
    WHERE s.stays AND d.deptype = 'n'
      AND d.classid NOT IN ('pg_catalog.pg_extension'::regclass,
                            'pg_catalog.pg_rewrite'::regclass,
                            'pg_catalog.pg_attrdef'::regclass,
                            'pg_catalog.pg_constraint'::regclass,
                            'pg_catalog.pg_policy'::regclass,
                            'pg_catalog.pg_trigger'::regclass)
      AND NOT (s.nspname = 'revtwin' AND d.classid = 'pg_catalog.pg_class'::regclass
               AND (SELECT relname FROM pg_catalog.pg_class WHERE oid = d.objid)
                   IN ('twin', 'receipt'))
    UNION ALL
    SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, false
    FROM pg_catalog.pg_event_trigger
    UNION ALL
    SELECT 'pg_catalog.pg_publication'::regclass, oid, false FROM pg_catalog.pg_publication
    UNION ALL
    SELECT 'pg_catalog.pg_cast'::regclass, oid, true FROM pg_catalog.pg_cast
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_transform'::regclass, oid, true FROM pg_catalog.pg_transform
    UNION ALL
    SELECT 'pg_catalog.pg_language'::regclass, oid, false FROM pg_catalog.pg_language
    WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, false
    FROM pg_catalog.pg_foreign_server
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, false
    FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_catalog.pg_am'::regclass, oid, false FROM pg_catalog.pg_am WHERE oid >= 16384
), named AS (
    SELECT i.type, i.identity,
           o.mine OR pg_has_role(coalesce(w.oid, 10), 'USAGE') AS mine,
           coalesce(w.oid, 10) AS owner
    FROM (SELECT class, oid, bool_or(mine) AS mine FROM object GROUP BY class, oid) o
    LEFT JOIN owner w ON w.classid = o.class AND w.objid = o.oid
    CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i
    WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid)
      -- What is part of something else goes with that.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend p
                      WHERE p.classid = o.class AND p.objid = o.oid
                        AND p.objsubid = 0
                        AND (p.deptype IN ('i', 'P', 'S') OR p.deptype = 'a'
                             AND p.refclassid = 'pg_catalog.pg_class'::regclass))
    UNION ALL
    SELECT 'schema', quote_ident(nspname), mine, nspowner
    FROM schema
    WHERE NOT stays
    UNION ALL
    SELECT 'extension', quote_ident(extname), true, 10
    FROM extension
    WHERE version IS NULL AND mine
), kind (type, sql, place) AS (
    -- Event triggers see nothing of the rest; of functions a name has several.
    VALUES ('event trigger', 'EVENT TRIGGER', 1), ('publication', NULL, 2),
           ('schema', NULL, 3), ('extension', NULL, 3), ('table', NULL, 4),
           ('function', 'ROUTINE', 6),
           ('procedure', 'ROUTINE', 6), ('aggregate', 'ROUTINE', 6),
           ('foreign-data wrapper', 'FOREIGN DATA WRAPPER', 7),
           ('statistics object', 'STATISTICS', 5), ('access method', NULL, 8)
), statement (place, sql, refused) AS (
    SELECT coalesce(k.place, 5),
           format('DROP %s IF EXISTS %s CASCADE', coalesce(k.sql, upper(n.type)),
                  string_agg(n.identity, ', ' ORDER BY n.identity)),
           string_agg(format('%s %s of role %I', n.type, n.identity,
                             pg_get_userbyid(n.owner)), E'\n' ORDER BY n.identity)
               FILTER (WHERE NOT n.mine)
    FROM named n
    LEFT JOIN kind k USING (type)
    -- Those of which DROP takes only one.
    GROUP BY k.place, coalesce(k.sql, upper(n.type)),
             CASE WHEN n.type IN ('cast', 'transform', 'operator class', 'operator family')
                  THEN n.identity END
    UNION ALL
    -- As a new database has them.
    SELECT 10, format('COMMENT ON SCHEMA %I IS %s', s.nspname,
                      CASE s.nspname WHEN 'public' THEN '''standard public schema'''
                                     ELSE 'NULL' END), NULL
    FROM schema s
    WHERE s.stays AND s.mine
      AND obj_description(s.oid, 'pg_namespace')
          IS DISTINCT FROM CASE s.nspname WHEN 'public' THEN 'standard public schema' END
      AND NOT EXISTS (SELECT FROM member WHERE objid = s.oid)
    UNION ALL
    SELECT 11, 'CREATE SCHEMA public', NULL
    WHERE NOT EXISTS (SELECT FROM schema WHERE nspname = 'public')
    UNION ALL
    SELECT 12, format('ALTER EXTENSION %I UPDATE', e.extname), NULL
    FROM extension e
    JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
    WHERE e.mine AND e.version <> e.extversion AND e.version = a.default_version
    UNION ALL
    SELECT 13, NULL, format('extension %I of role %I', extname, pg_get_userbyid(extowner))
    FROM extension
    WHERE version IS NULL AND NOT mine AND oid >= 16384
)
SELECT sql, refused FROM statement ORDER BY place, sql
