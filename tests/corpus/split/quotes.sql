CREATE TABLE t (a text);
INSERT INTO t VALUES (';'), ('it''s;'), (''), (''''), ('--'), ('/*'), ('$$'), ('"');
SELECT 'over
lines;
' AS x;
