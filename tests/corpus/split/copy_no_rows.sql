CREATE TABLE t (a int);
COPY t FROM stdin;
\.
COPY t (a) FROM stdin; -- none either
\.
INSERT INTO t VALUES (1);
