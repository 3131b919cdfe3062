-- What of users would see rows of the tables $1 (OIDs) written: triggers, also as clones
-- on a partition (internal before version 15), and rules that rewrite the statement. The
-- statement that puts one to sleep, and the one that wakes it as it was. ONLY, because
-- a partition's clones have a state of their own.
SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
       format('ALTER TABLE ONLY %s ENABLE%s TRIGGER %I', tgrelid::regclass,
              CASE tgenabled WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END,
              tgname)
FROM pg_catalog.pg_trigger
WHERE tgrelid = ANY ($1::text::oid[]) AND tgenabled <> 'D'
  AND (NOT tgisinternal OR (tgparentid <> 0 AND tgconstraint = 0))
UNION ALL
SELECT format('ALTER TABLE ONLY %s DISABLE RULE %I', ev_class::regclass, rulename),
       format('ALTER TABLE ONLY %s ENABLE%s RULE %I', ev_class::regclass,
              CASE ev_enabled WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END,
              rulename)
FROM pg_catalog.pg_rewrite
WHERE ev_class = ANY ($1::text::oid[]) AND ev_enabled <> 'D' AND ev_type <> '1'
