SELECT (ARRAY[1,2,3])[a:b], (ARRAY[1,2,3])[:b], (ARRAY[1,2,3])[a:] FROM (SELECT 1 AS a, 2 AS b) s;
SELECT ':a', $$:a$$, ':"a"', 1::int::text, 'x'::"char" /* :a */ AS ":a" -- :'a'
;
DO $$
DECLARE a int:=1;
BEGIN
    a:=a+1;
END
$$;
