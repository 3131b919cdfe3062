CREATE TABLE t (a text, b text);
CREATE TABLE stdin (stdin text, copy text);
CREATE SCHEMA copy;
CREATE TABLE copy."from" (a int);
COPY t FROM STDIN USING DELIMITERS ';';
a;b
\.
COPY t
    (a,
     b)
FROM
STDIN
WITH DELIMITER ',' NULL AS 'null'

;
c,null
\.
copy stdin from stdin;
x	y
\.
COPY stdin (stdin, copy) FROM STDIN WITH (DELIMITER ':') WHERE stdin <> 'z;';
z:;
z;:1
\.
COPY copy."from"FROM STDIN;
7
\.
COPY t(a)FROM STDIN(FORMAT text);
\\.
 \\.
\\.x
\.
/* first */ COPY -- second
t FROM /* third */ STDIN -- fourth;
WITH (FORMAT csv) -- fifth
; -- sixth
d,e
\.
COPY t (a) FROM STDIN;




\.
SELECT count(*) FROM t;
