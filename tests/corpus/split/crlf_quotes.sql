SELECT 'a'
'b;' AS x;
SELECT E'a\'
;', 'c\' AS y;
CREATE TABLE "two
lines;" (a text);
/* /* ;
 */ ;
*/
INSERT INTO "two
lines;" VALUES ($x$
;$$
$x$), ('
') -- ;
;
CREATE FUNCTION f() RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT 1;
    SELECT 2;
END;
COPY "two
lines;" FROM STDIN WITH (FORMAT csv);
"a;
b"
\.
SELECT count(*) FROM "two
lines;";
