-- The materialized views that were never populated, or are not any more, as an array.
SELECT array_agg(format('"%s"."%s"', replace(n.nspname, '"', '""'),
                        replace(c.relname, '"', '""')))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND NOT c.relispopulated
