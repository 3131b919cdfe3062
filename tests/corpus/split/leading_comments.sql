-- one;
/* two; */ -- three
/*
 four; */ CREATE TABLE t (a int); /* five */ INSERT INTO t VALUES (1);
