CREATE TABLE t (a int, b int CHECK ((b > (0))));
INSERT INTO t VALUES ((1), ((2)));
SELECT '(';
SELECT ')', "?column?" FROM (SELECT '(') s;
SELECT 1 /* ( */;
