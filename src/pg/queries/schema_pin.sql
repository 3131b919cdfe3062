-- Pin what definitions depend on, for this transaction. $1: the version of the older one
-- of the two servers that are compared, as 150020: what it does not know is left out.
SELECT pg_catalog.set_config('revtwin.pinned', pg_catalog.jsonb_object_agg(
           name, pg_catalog.current_setting(name))::text, true),
       pg_catalog.set_config('revtwin.version', $1::text, true),
       pg_catalog.set_config('search_path', '', true),
       pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
       pg_catalog.set_config('IntervalStyle', 'postgres', true),
       pg_catalog.set_config('TimeZone', 'UTC', true),
       pg_catalog.set_config('extra_float_digits', '3', true),
       pg_catalog.set_config('bytea_output', 'hex', true),
       pg_catalog.set_config('jit', 'off', true),
       pg_catalog.set_config('quote_all_identifiers', 'off', true),
       pg_catalog.set_config('standard_conforming_strings', 'on', true)
FROM pg_catalog.unnest(ARRAY['search_path', 'DateStyle', 'IntervalStyle', 'TimeZone',
                             'extra_float_digits', 'bytea_output', 'jit',
                             'quote_all_identifiers', 'standard_conforming_strings']) name
