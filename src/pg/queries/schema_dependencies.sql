-- What was made to go with an extension, without being a part of it.
SELECT 'dependency', format('of %s %s on %I', i.type, i.identity, e.extname),
       format(E'ALTER %s %s DEPENDS ON EXTENSION %I;\n', upper(i.type), i.identity,
              e.extname)
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = d.classid AND m.objid = d.objid)
