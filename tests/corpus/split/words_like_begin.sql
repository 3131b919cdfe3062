CREATE TABLE begin_log ("begin" int, "end" int, copy int);
CREATE VIEW function AS SELECT CASE WHEN copy > 1 THEN 1 END AS x FROM begin_log;
CREATE TABLE procedure (atomic int);
SELECT 1;
