-- The tables whose columns, or the types of them, were changed by a transaction at or
-- after $1, but not by $2: rows may have got other values without having been written.
-- A column that is added with a default is not written to the rows; an enum's value that
-- is renamed changes them all. Types are followed through arrays, domains, ranges and
-- composite types.
WITH RECURSIVE altered AS (
    SELECT DISTINCT attrelid AS oid FROM pg_catalog.pg_attribute
    WHERE attnum > 0 AND pg_catalog.age(xmin) <= pg_catalog.age($1::text::xid)
      AND xmin IS DISTINCT FROM $2::text::xid
), part (whole, of) AS (
    SELECT oid, typelem FROM pg_catalog.pg_type WHERE typelem <> 0
    UNION ALL
    SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typbasetype <> 0
    UNION ALL
    SELECT rngtypid, rngsubtype FROM pg_catalog.pg_range
    UNION ALL -- of 14 and later
    SELECT (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid, rngtypid
    FROM pg_catalog.pg_range r
    UNION ALL
    SELECT c.reltype, a.atttypid
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE c.reltype <> 0 AND a.attnum > 0
), type (oid) AS (
    SELECT enumtypid FROM pg_catalog.pg_enum
    WHERE pg_catalog.age(xmin) <= pg_catalog.age($1::text::xid)
      AND xmin IS DISTINCT FROM $2::text::xid
    UNION
    SELECT c.reltype FROM altered JOIN pg_catalog.pg_class c USING (oid) WHERE c.reltype <> 0
    UNION
    SELECT part.whole FROM type JOIN part ON part.of = type.oid
)
SELECT oid FROM altered
UNION
SELECT attrelid FROM pg_catalog.pg_attribute JOIN type ON type.oid = atttypid
WHERE attnum > 0 AND NOT attisdropped
