-- The columns of the tables $1 (OIDs) whose values a unique index or an exclusion
-- constraint looks at, also in an expression or a predicate. NULL: any of them may be,
-- where the catalogs do not tell (a whole row, a generated column).
SELECT DISTINCT i.indrelid, a.attname
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL (
    SELECT unnest(i.indkey::smallint[]) AS number
    UNION
    SELECT d.refobjsubid
    FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
) part
CROSS JOIN LATERAL (
    SELECT pg_get_expr(i.indexprs, i.indrelid) AS expressions,
           pg_get_expr(i.indpred, i.indrelid) AS predicate
) text
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = i.indrelid AND a.attnum = part.number AND a.attgenerated = ''
      AND coalesce(text.expressions || text.predicate, text.expressions,
                   text.predicate, '') NOT LIKE '%.*%'
WHERE i.indrelid = ANY ($1::text::oid[]) AND (i.indisunique OR i.indisexclusion)
  -- Expressions are 0 in indkey; what they depend on is among the others.
  AND (part.number <> 0
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::regclass
                        AND d.objid = i.indexrelid AND d.refobjsubid > 0
                        AND d.refclassid = 'pg_catalog.pg_class'::regclass
                        AND d.refobjid = i.indrelid))
