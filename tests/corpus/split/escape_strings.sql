CREATE TABLE t (a text);
INSERT INTO t VALUES (E'\';'), (e'it''s\\'), (E'\\\';'), (E'\x41\101\u0041;');
INSERT INTO t VALUES (E'over\
lines;'), (E';''\'');
