-- Functions, procedures, aggregates; not the constructors that come with range types.
, routine AS (
    SELECT p.*, format('%I.%I(%s)', s.nspname, p.proname,
                       pg_get_function_identity_arguments(p.oid)) AS name
    FROM pg_proc p
    JOIN space s ON s.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                        AND d.deptype IN ('e', 'i'))
)
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.name,
       rtrim(pg_get_functiondef(p.oid), E'\n') || E';\n'
FROM routine p WHERE p.prokind <> 'a'
UNION ALL
SELECT 'aggregate', p.name,
       concat(format(E'CREATE AGGREGATE %s (\n    SFUNC = %s,\n    STYPE = %s', p.name,
                     a.aggtransfn, format_type(a.aggtranstype, NULL)),
              CASE WHEN a.aggtransspace <> 0
                   THEN E',\n    SSPACE = ' || a.aggtransspace END,
              E',\n    FINALFUNC = ' || nullif(a.aggfinalfn::oid, 0)::regproc,
              CASE WHEN a.aggfinalextra THEN E',\n    FINALFUNC_EXTRA' END,
              E',\n    FINALFUNC_MODIFY = ' ||
                  nullif(a.aggfinalmodify::text, CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END),
              E',\n    COMBINEFUNC = ' || nullif(a.aggcombinefn::oid, 0)::regproc,
              E',\n    SERIALFUNC = ' || nullif(a.aggserialfn::oid, 0)::regproc,
              E',\n    DESERIALFUNC = ' || nullif(a.aggdeserialfn::oid, 0)::regproc,
              E',\n    INITCOND = ' || quote_literal(a.agginitval),
              E',\n    MSFUNC = ' || nullif(a.aggmtransfn::oid, 0)::regproc,
              E',\n    MINVFUNC = ' || nullif(a.aggminvtransfn::oid, 0)::regproc,
              CASE WHEN a.aggmtranstype <> 0
                   THEN E',\n    MSTYPE = ' || format_type(a.aggmtranstype, NULL) END,
              CASE WHEN a.aggmtransspace <> 0
                   THEN E',\n    MSSPACE = ' || a.aggmtransspace END,
              E',\n    MFINALFUNC = ' || nullif(a.aggmfinalfn::oid, 0)::regproc,
              CASE WHEN a.aggmfinalextra THEN E',\n    MFINALFUNC_EXTRA' END,
              CASE WHEN a.aggmfinalfn <> 0
                   THEN E',\n    MFINALFUNC_MODIFY = ' || a.aggmfinalmodify::text END,
              E',\n    MINITCOND = ' || quote_literal(a.aggminitval),
              E',\n    SORTOP = ' || nullif(a.aggsortop, 0)::regoperator,
              CASE WHEN a.aggkind = 'h' THEN E',\n    HYPOTHETICAL' END,
              CASE p.proparallel WHEN 's' THEN E',\n    PARALLEL = safe'
                                 WHEN 'r' THEN E',\n    PARALLEL = restricted' END,
              E'\n);\n')
FROM routine p JOIN pg_aggregate a ON a.aggfnoid = p.oid
