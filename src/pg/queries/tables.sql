-- Behind tables_kept.sql: one row a column; a table without columns has one row, with NULL
-- for what is about the column.
, doubtful (rel, number) AS (
    -- From 18 on a NOT NULL may be there that not every row meets.
    SELECT conrelid, unnest(conkey) FROM pg_catalog.pg_constraint
    WHERE contype = 'n' AND NOT convalidated
), key AS (
    -- What tells rows apart: the primary key, else the shortest unique index that will do.
    SELECT DISTINCT ON (i.indrelid) i.indrelid,
           (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns
    FROM kept
    JOIN pg_catalog.pg_index i ON i.indrelid = kept.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indisunique AND i.indisvalid AND (i.indisprimary OR i.indimmediate)
      AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = i.indrelid
                        AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                        AND (NOT a.attnotnull OR a.attgenerated <> ''
                             OR (a.attrelid, a.attnum) IN (SELECT * FROM doubtful)))
    ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, x.relname
), domain (oid, base) AS (
    SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT d.oid, t.typbasetype
    FROM domain d
    JOIN pg_catalog.pg_type t ON t.oid = d.base AND t.typtype = 'd'
), plain (oid) AS (
    -- Built in, under the same OID everywhere, and sent as what they are. The values of
    -- regclass and its like are OIDs.
    SELECT oid FROM pg_catalog.pg_type
    WHERE oid < 10000 AND typtype IN ('b', 'r', 'm') AND typsend <> 0
      AND typname NOT LIKE 'reg%'
), floating (oid) AS (
    -- Types of several floats: a NaN in one has several bit patterns, of which text has one.
    VALUES (600), (601), (602), (603), (604), (628), (718)
), known AS (
    SELECT t.oid, t.typreceive, s.pronamespace, s.proname,
           quote_ident(n.nspname) || '.' || quote_ident(t.typname) AS name,
           CASE WHEN t.typsend = 'pg_catalog.array_send'::regproc
                THEN t.typelem IN (SELECT oid FROM plain)
                WHEN t.typsend = 'pg_catalog.range_send'::regproc
                THEN EXISTS (SELECT FROM pg_catalog.pg_range r
                             JOIN plain p ON p.oid = r.rngsubtype
                             WHERE r.rngtypid = t.oid)
                WHEN t.typtype = 'm' THEN t.oid < 10000
                WHEN t.typtype = 'e' THEN true
                WHEN t.typtype <> 'b' THEN false
                ELSE s.proargtypes[0] = t.oid
                 AND NOT (t.oid < 10000 AND t.typname LIKE 'reg%')
           END AS sent,
           CASE WHEN t.typsend = 'pg_catalog.array_send'::regproc
                THEN t.typelem IN (SELECT oid FROM floating UNION VALUES (700), (701))
                WHEN t.typtype = 'r'
                THEN EXISTS (SELECT FROM pg_catalog.pg_range r
                             WHERE r.rngtypid = t.oid AND r.rngsubtype IN (700, 701))
                ELSE t.oid IN (SELECT oid FROM floating)
           END AS floats
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_proc s ON s.oid = t.typsend
    WHERE t.typtype <> 'd'
)
SELECT k.oid, k.nspname, k.relname,
       quote_ident(k.nspname) || '.' || quote_ident(k.relname),
       CASE WHEN k.marked THEN coalesce(k.condition, '') END,
       coalesce(pg_relation_size(k.oid), 0),
       coalesce(pg_relation_size(nullif(k.reltoastrelid, 0)), 0),
       CASE WHEN k.relpages = 0 THEN -1
            ELSE k.reltuples::float8 / k.relpages * pg_relation_size(k.oid)
                 / current_setting('block_size')::int END,
       k.relpersistence = 'u', k.relispartition, k.relhassubclass,
       k.relallvisible > 0.9 * k.relpages,
       -- NULL when it was dropped since; then whoever locks it will know
       coalesce(has_schema_privilege(k.nspoid, 'USAGE'), true),
       coalesce(has_table_privilege(k.oid, 'SELECT'), true),
       row_security_active(k.oid),
       -- the column:
       a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN t.sent
            THEN (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
                  WHERE n.oid = t.pronamespace) || '.' || quote_ident(t.proname) END,
       CASE WHEN t.oid <> a.atttypid THEN t.name END,
       t.sent AND t.typreceive <> 0, t.floats,
       a.attnotnull AND (k.oid, a.attnum) NOT IN (SELECT * FROM doubtful),
       a.attgenerated <> '', nullif(a.attidentity, ''),
       array_position(key.columns, a.attnum)
FROM kept k
LEFT JOIN key ON key.indrelid = k.oid
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = k.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN known t
       ON t.oid = coalesce((SELECT d.base FROM domain d
                            JOIN pg_catalog.pg_type b ON b.oid = d.base AND b.typtype <> 'd'
                            WHERE d.oid = a.atttypid), a.atttypid)
ORDER BY k.nspname, k.relname, a.attnum
