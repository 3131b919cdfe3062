CREATE TABLE t (a date, b text);
INSERT INTO t VALUES (date'2024-01-01', text'\');
SELECT date'2024-01-01', time '12:00';
