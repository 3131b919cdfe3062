SELECT E'a\'', E'\'b', e'\\\'c;\\', E'''\'''', E'\
;', E'd\\', 'e\', E'\n''', 'f';
SELECT E'\'; --', E'\'/*', E'$$\'$$', $$E'\';$$, E'"\'"', "E'\" FROM (SELECT 1 AS "E'\") s;
SELECT 'x' LIKE 'y' ESCAPE E'\\', 'a' SIMILAR TO 'b' ESCAPE '\';
