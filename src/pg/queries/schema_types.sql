-- Types and domains. Row types, array types and multiranges come with what they belong to.
, type AS (
    SELECT t.*, format('%I.%I', s.nspname, t.typname) AS name
    FROM pg_type t
    JOIN space s ON s.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM member m
                      WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
)
SELECT 'type', name,
       format(E'CREATE TYPE %s AS ENUM (%s\n);\n', name,
              (SELECT string_agg(E'\n    ' || quote_literal(e.enumlabel), ','
                                 ORDER BY e.enumsortorder)
               FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM type t WHERE t.typtype = 'e'
UNION ALL
SELECT 'type', name,
       format(E'CREATE TYPE %s AS (%s\n);\n', name,
              (SELECT string_agg(
                          format(E'\n    %I %s%s', a.attname,
                                 format_type(a.atttypid, a.atttypmod),
                                 CASE WHEN a.attcollation <> y.typcollation
                                      THEN (SELECT format(' COLLATE %I.%I', n.nspname,
                                                          c.collname)
                                            FROM pg_collation c
                                            JOIN pg_namespace n ON n.oid = c.collnamespace
                                            WHERE c.oid = a.attcollation) END),
                          ',' ORDER BY a.attnum)
               FROM pg_attribute a
               JOIN pg_type y ON y.oid = a.atttypid
               WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
FROM type t JOIN relation r ON r.oid = t.typrelid AND r.relkind = 'c'
UNION ALL
SELECT 'type', name,
       concat(format(E'CREATE TYPE %s AS RANGE (\n    SUBTYPE = %s', name,
                     format_type(g.rngsubtype, NULL)),
              (SELECT format(E',\n    SUBTYPE_OPCLASS = %I.%I', n.nspname, c.opcname)
               FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace
               WHERE c.oid = g.rngsubopc),
              (SELECT format(E',\n    COLLATION = %I.%I', n.nspname, c.collname)
               FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
               WHERE c.oid = g.rngcollation),
              E',\n    CANONICAL = ' || nullif(g.rngcanonical, 0)::regproc,
              E',\n    SUBTYPE_DIFF = ' || nullif(g.rngsubdiff, 0)::regproc,
              CASE WHEN current_setting('revtwin.version')::int >= 140000
                   THEN E',\n    MULTIRANGE_TYPE_NAME = ' ||
                        format_type((to_jsonb(g) ->> 'rngmultitypid')::oid, NULL) END,
              E'\n);\n')
FROM type t JOIN pg_range g ON g.rngtypid = t.oid
WHERE t.typtype = 'r'
UNION ALL
SELECT 'type', name,
       CASE WHEN NOT t.typisdefined THEN format(E'CREATE TYPE %s;\n', name)
            ELSE concat(
                format(E'CREATE TYPE %s (\n    INPUT = %s,\n    OUTPUT = %s', name,
                       t.typinput, t.typoutput),
                E',\n    RECEIVE = ' || nullif(t.typreceive::oid, 0)::regproc,
                E',\n    SEND = ' || nullif(t.typsend::oid, 0)::regproc,
                E',\n    TYPMOD_IN = ' || nullif(t.typmodin::oid, 0)::regproc,
                E',\n    TYPMOD_OUT = ' || nullif(t.typmodout::oid, 0)::regproc,
                E',\n    ANALYZE = ' || nullif(t.typanalyze::oid, 0)::regproc,
                E',\n    SUBSCRIPT = ' ||
                    nullif(nullif(to_jsonb(t) ->> 'typsubscript', '-'),
                           'array_subscript_handler'),
                E',\n    INTERNALLENGTH = ' ||
                    CASE t.typlen WHEN -1 THEN 'variable' ELSE t.typlen::text END,
                CASE WHEN t.typbyval THEN E',\n    PASSEDBYVALUE' END,
                format(E',\n    ALIGNMENT = %s,\n    STORAGE = %s,\n    CATEGORY = %L',
                       CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2'
                                       WHEN 'i' THEN 'int4' ELSE 'double' END,
                       CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                         WHEN 'x' THEN 'extended' ELSE 'main' END,
                       t.typcategory),
                CASE WHEN t.typispreferred THEN E',\n    PREFERRED = true' END,
                E',\n    DEFAULT = ' || quote_literal(t.typdefault),
                CASE WHEN t.typelem <> 0
                     THEN E',\n    ELEMENT = ' || format_type(t.typelem, NULL) END,
                CASE WHEN t.typdelim <> ','
                     THEN E',\n    DELIMITER = ' || quote_literal(t.typdelim::text) END,
                CASE WHEN t.typcollation <> 0 THEN E',\n    COLLATABLE = true' END,
                E'\n);\n') END
FROM type t
WHERE (t.typtype = 'b' OR NOT t.typisdefined)
  AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
UNION ALL
SELECT 'domain', name,
       concat(format('CREATE DOMAIN %s AS %s', name,
                     format_type(t.typbasetype, t.typtypmod)),
              CASE WHEN t.typcollation <> b.typcollation
                   THEN (SELECT format(E'\n    COLLATE %I.%I', n.nspname, c.collname)
                         FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                         WHERE c.oid = t.typcollation) END,
              E'\n    DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0),
                                            quote_literal(t.typdefault)),
              CASE WHEN t.typnotnull THEN E'\n    NOT NULL' END,
              (SELECT string_agg(format(E'\n    CONSTRAINT %I %s', k.conname,
                                        pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
               FROM pg_constraint k
               WHERE k.contypid = t.oid AND k.contype = 'c'),
              E';\n')
FROM type t JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.typtype = 'd'
