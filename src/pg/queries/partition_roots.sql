-- Of each of the tables $1 (OIDs), in their order, the partitioned table that it belongs
-- to in the end, or itself.
SELECT coalesce(pg_partition_root(t.oid)::oid, t.oid)
FROM unnest($1::text::oid[]) WITH ORDINALITY AS t (oid, place)
ORDER BY t.place
