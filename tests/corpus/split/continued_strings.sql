SELECT 'a'
'b;'
  'c' AS x;
SELECT 'a' -- c
   ';' AS x;
SELECT 'a'


';';
