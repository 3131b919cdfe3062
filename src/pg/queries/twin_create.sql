-- The statement that makes database $2 with the encoding, locale and tablespace of $1.
-- Read through to_jsonb, because the columns differ between versions 12 and 18.
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L', $2::text,
              pg_encoding_to_char(d.encoding))
       || CASE p.row ->> 'datlocprovider'
              WHEN 'c' THEN ' LOCALE_PROVIDER libc'
              WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', p.locale)
                            || coalesce(' ICU_RULES '
                                        || quote_literal(p.row ->> 'daticurules'), '')
              WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', p.locale)
              ELSE '' END
       || format(' LC_COLLATE %L LC_CTYPE %L', d.datcollate, d.datctype)
       || CASE t.spcname WHEN 'pg_default' THEN ''
                         ELSE format(' TABLESPACE %I', t.spcname) END
FROM pg_catalog.pg_database d
JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
CROSS JOIN LATERAL (SELECT to_jsonb(d) AS row) j
CROSS JOIN LATERAL (SELECT j.row, coalesce(j.row ->> 'datlocale',
                                           j.row ->> 'daticulocale') AS locale) p
WHERE d.datname = $1
