CREATE TABLE t (a int[], b$c$ int);
SELECT a[1:b$c$], a[:b$c$] FROM t;
CREATE FUNCTION f(n int) RETURNS SETOF int[] LANGUAGE sql
BEGIN ATOMIC
    SELECT a[1:case when n > 1 then 2 else 3 end] FROM t;
    SELECT a[:case n when 1 then 2 end] FROM t;
END;
SELECT f(1);
