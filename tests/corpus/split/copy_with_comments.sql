CREATE TABLE t (a int);
COPY t -- x
  FROM /* ; */ STDIN
  WITH (FORMAT text) WHERE a > 1;  -- two rows;
1
2
3
\.
