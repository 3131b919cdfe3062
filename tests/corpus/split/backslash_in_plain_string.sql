CREATE TABLE t (a text);
INSERT INTO t VALUES ('\');
INSERT INTO t VALUES ('a\'), ('\n;');
INSERT INTO t VALUES ('C:\');
