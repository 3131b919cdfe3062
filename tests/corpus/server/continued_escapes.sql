SELECT E'a\'' -- ;
'\'; ' AS x;
SELECT E'a'
  'b\';' AS y;
