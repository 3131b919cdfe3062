CREATE TABLE t (
    a int, -- first
    b text
);

INSERT INTO t VALUES (1, 'x
y');
/* c
 */
SELECT $$a
b$$;
