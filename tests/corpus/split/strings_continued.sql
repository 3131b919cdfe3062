SELECT 'a;'
    'b''' -- ;
    -- ';
    ';c' AS x, N'd'
'e;', B'0'
'1' AS y, X'a'
'f', E'g\''


'h;' AS z;
SELECT 'C:\'
';' AS x, E'\\'
'i' AS y;
COMMENT ON SCHEMA public IS 'one;'
    'two';
