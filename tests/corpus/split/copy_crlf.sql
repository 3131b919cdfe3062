CREATE TABLE t (a int, b text);
COPY t FROM STDIN;
1	one
2	two
\.
INSERT INTO t VALUES (5, 'five');
