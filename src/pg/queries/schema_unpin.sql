-- What schema_pin.sql has pinned is as it was before.
SELECT pg_catalog.set_config(key, value, true)
FROM pg_catalog.jsonb_each_text(
         pg_catalog.current_setting('revtwin.pinned')::pg_catalog.jsonb)
