-- commentCREATE TABLE t (a int);INSERT INTO t VALUES (1); -- xINSERT INTO t VALUES (2);
