SELECT 1::text, '1'::int::text;
SELECT (ARRAY[1,2,3])[1:2];
SELECT 'a:b', ':x', $$:y$$;
CREATE TABLE t (a int);
DO $$DECLARE x int := 1; BEGIN x := x + 1; END$$;
