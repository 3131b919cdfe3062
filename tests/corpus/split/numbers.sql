SELECT 1, 1.5, .5, 1., 1e10, 1.5E-3, 1e+5;
SELECT (ARRAY[1,2,3])[1:2], 10::int, 5::numeric(3,1);
DO $$BEGIN FOR i IN 1..3 LOOP NULL; END LOOP; END$$;
