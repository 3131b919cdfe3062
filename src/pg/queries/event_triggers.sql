-- Event triggers that would see DDL: the statement that puts one to sleep, and the one
-- that wakes it as it was.
SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname),
       format('ALTER EVENT TRIGGER %I ENABLE%s', evtname,
              CASE evtenabled WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END)
FROM pg_catalog.pg_event_trigger
WHERE evtenabled <> 'D'
