-- A partition that a statement detaches, as one text: whether it is attached, whether a
-- detachment is pending ("t" or "f" each), its own name. The column is there from 14 on.
-- $1, $2: schema and name of the parent, $3, $4: of the partition; a schema may be NULL
SELECT concat(h.inhrelid IS NOT NULL,
              coalesce((to_jsonb(h) ->> 'inhdetachpending')::boolean, false), ' ',
              coalesce(quote_ident(n.nspname) || '.' || quote_ident(c.relname), x.name))
FROM (SELECT concat_ws('.', quote_ident($3), quote_ident($4))) x (name)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(x.name)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits h
    ON h.inhrelid = c.oid
   AND h.inhparent = to_regclass(concat_ws('.', quote_ident($1), quote_ident($2)))
