-- Transactions that hold locks on tables of this database: a line for people, the process
-- (a prepared transaction has none), and whether this role may end it, by the rule of
-- pg_terminate_backend. $1: 'read' for any lock, 'write' without those of who only reads,
-- 'exclude' for those that nobody can read under, also such as are waited for. Autovacuum
-- steps aside by itself.
SELECT DISTINCT ON (l.pid, p.gid)
       CASE WHEN l.pid IS NULL
            THEN format('table %I.%I: prepared transaction %L of %s since %s; only COMMIT '
                        'PREPARED or ROLLBACK PREPARED ends it', n.nspname, c.relname,
                        coalesce(p.gid, 'unknown'), coalesce(p.owner, 'unknown'),
                        coalesce(to_char(p.prepared AT TIME ZONE 'UTC',
                                         'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
            ELSE format('table %I.%I: pid %s, user %s, application %s, %s since %s',
                        n.nspname, c.relname, l.pid, coalesce(a.usename, 'unknown'),
                        coalesce(nullif(a.application_name, ''), 'unknown'),
                        coalesce(a.state, 'busy'),
                        coalesce(to_char(a.xact_start AT TIME ZONE 'UTC',
                                         'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
       END,
       l.pid,
       l.pid IS NOT NULL
           AND (me.rolsuper
                OR NOT coalesce(r.rolsuper, true)
                   AND (pg_has_role(r.oid, 'USAGE')
                        OR pg_has_role('pg_signal_backend', 'USAGE'))),
       quote_ident(me.rolname)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'S', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles me ON me.rolname = current_user
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN (pg_catalog.pg_locks x
           JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid)
    ON l.pid IS NULL AND x.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database
                    WHERE datname = current_database())
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND CASE $1 WHEN 'read' THEN l.granted
              WHEN 'write' THEN l.granted AND
                                l.mode NOT IN ('AccessShareLock', 'RowShareLock')
              ELSE l.mode = 'AccessExclusiveLock' END
  AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
ORDER BY l.pid, p.gid, l.relation
