CREATE TABLE t (a int, b text, c text);
COPY t FROM STDIN WITH (FORMAT csv, DELIMITER ';', QUOTE '''', NULL 'nil');
1;'a;''b';nil
2;"plain;x
3;'over
lines; -- ''
$$;';y
\.
COPY t (a, b) FROM stdin CSV DELIMITER AS '|' QUOTE AS '"' ESCAPE AS '\';
4|"a\"|;
b"
5|\\.
6|" \."
\.
COPY public.t FROM STDIN (FORMAT csv, HEADER, DELIMITER E'\t', FORCE_NULL (b), ENCODING 'UTF8');
a	b	c
6	"tab	;"	""
\.
SELECT * FROM t ORDER BY a;
