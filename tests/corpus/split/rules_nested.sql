CREATE TABLE t (a int, b text);
CREATE TABLE log (a int, b text);
CREATE RULE r AS ON UPDATE TO t DO ALSO (
    INSERT INTO log VALUES (new.a, ');');
    INSERT INTO log (a) SELECT (CASE WHEN (new.a > (0)) THEN 1 END); -- );
    UPDATE log SET b = $$);$$ /* ); */ WHERE a = (SELECT max(a) FROM log);
    NOTIFY changed;
);
CREATE OR REPLACE RULE s AS ON DELETE TO t WHERE old.a > 0 DO INSTEAD (DELETE FROM log;);
CREATE RULE n AS ON INSERT TO log DO INSTEAD NOTHING;
INSERT INTO t VALUES (1, 'x');
UPDATE t SET a = 2; DELETE FROM t;
