CREATE TABLE t (a text);
COPY t FROM STDIN;
 \\.
'
"
$$
/*
--
SELECT 1;
\\connect x
(
end
\.
SELECT count(*) FROM t;
