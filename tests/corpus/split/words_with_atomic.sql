CREATE TABLE atomic (atomic_a int, nonatomic int, "ATOMIC" int);
CREATE FUNCTION atomic() RETURNS int LANGUAGE sql AS 'SELECT 1;';
CREATE FUNCTION beginner(caseless int, ending int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT atomic_a AS beginning FROM atomic WHERE nonatomic > caseless + ending;
    SELECT "ATOMIC" AS endless FROM atomic;
END;
CREATE FUNCTION "begin"("case" int, "end" int) RETURNS int LANGUAGE sql
    AS $begin$ SELECT "case" + "end"; $begin$;
CREATE VIEW v AS SELECT "begin"(1, 2) AS "end", atomic() AS "atomic";
CREATE TYPE kinds AS ENUM ('begin', 'case', 'end', 'atomic;');
CREATE SEQUENCE begin_end_case;
SELECT "end" AS "begin" FROM v;
CREATE OR REPLACE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF true THEN
        CASE WHEN false THEN NULL; ELSE NULL; END CASE;
    END IF;
    RETURN new;
END
$$;
