-- An index that a statement names, as one text: whether it is there, whether it is valid,
-- whether it is on the table that the statement names, whether it is unique ("t" or "f"
-- each), its own name.
-- $1, $2: schema and name of the index, $3, $4: of the table; a schema may be NULL; without
-- a table the index is looked up by itself
SELECT concat(i.indexrelid IS NOT NULL, coalesce(i.indisvalid, false),
              coalesce(i.indrelid = t.oid, false),
              coalesce(i.indisunique, false), ' ',
              coalesce(quote_ident(n.nspname) || '.' || quote_ident(c.relname), x.name))
FROM (SELECT CASE WHEN $4::text IS NOT NULL THEN
                 to_regclass(concat_ws('.', quote_ident($3), quote_ident($4)))::oid
             END) t (oid)
LEFT JOIN pg_catalog.pg_class o ON o.oid = t.oid
LEFT JOIN pg_catalog.pg_namespace m ON m.oid = o.relnamespace
CROSS JOIN LATERAL (
    SELECT concat_ws('.', quote_ident(coalesce(m.nspname, $1)), quote_ident($2))) x (name)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(x.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
