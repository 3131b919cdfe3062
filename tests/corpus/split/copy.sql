CREATE TABLE t (a int, b text);
COPY t FROM STDIN;
1	one
2	two; 'quoted' -- and more
3	\N
4	a\tb\\c
\.
INSERT INTO t VALUES (5, 'five');
