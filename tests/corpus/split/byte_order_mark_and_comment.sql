-- first line
CREATE TABLE t (a int);
