SELECT '''', '''''', E'\'', E'''', '"', "?column?" FROM (SELECT $$'$$) AS "'";
SELECT $$$$, $a$$a$, $a$'$a$, ''AS"x";
SELECT 'a'/* ' */IS NULL;
CREATE TABLE "'" ("$$" text, ";" text);
INSERT INTO "'" VALUES ('$$', '";"'), ($$'$$, $x$$$;$x$);
COMMENT ON TABLE "'" IS E'it\'s; -- not a comment';
SELECT '--'--'
;SELECT '/*'/*'*/;
