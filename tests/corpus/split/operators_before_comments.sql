SELECT 1 +-- ;
2;
SELECT 3 -/* ; */1;
SELECT 2*/* ; */3;
SELECT 1 <--;
2;
SELECT @ -1, 4/2, 2^(-1), 'a'~'b', 1<>-1;
