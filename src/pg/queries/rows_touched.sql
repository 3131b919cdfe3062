-- What this transaction has done to rows, as the server has counted it. Not where that is
-- switched off: then no row comes.
SELECT s.relid, quote_ident(s.schemaname) || '.' || quote_ident(s.relname), s.n_tup_ins,
       s.n_tup_upd, s.n_tup_del
FROM pg_catalog.pg_stat_xact_user_tables s
JOIN pg_catalog.pg_class c ON c.oid = s.relid
WHERE s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0 AND c.relpersistence <> 't'
  AND c.relkind = 'r' AND current_setting('track_counts')::boolean
