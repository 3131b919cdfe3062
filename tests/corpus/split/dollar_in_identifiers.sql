CREATE TABLE foo$bar$ (a$ int, b$c$d int);
INSERT INTO foo$bar$ VALUES (1, 2);
SELECT a$ FROM foo$bar$;
