/* /* ; */ ' ; */ CREATE TABLE t (a int);
SELECT 1 /* /*/ ; */ ; */ ;
SELECT 2 /***;***/;
SELECT 3 /* * / ; */;
