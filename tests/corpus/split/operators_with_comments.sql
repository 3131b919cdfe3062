SELECT 1 +-- ; '
-1, 2 *-- $$
3, 4 -/* ; */-5, 6*/**/7, 8/-- "
2, 9 /*/* ; */*// 3, 10 %/* ' */ 3, -/* */1, ~-- x
1;
SELECT 1<--/* ; 
2, 1 <>/* ; */2, 3 >=-- ;
4, 5 ||/* ; */'6', @ -/* ; */5, 2 ^-- ;
2, |/-- ;
4, |//* ; */9, ||//* ; */27;
SELECT ARRAY[1] @>-- ;
ARRAY[1], '{"a": 1}'::jsonb ?-- ;
'a', '{"a": 1}'::jsonb #>>/* ; */'{a}', '1'::jsonb @@-- ;
'$ > 0';
CREATE FUNCTION op(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 - $2';
CREATE OPERATOR +* (LEFTARG = int, RIGHTARG = int, FUNCTION = op);
CREATE OPERATOR #-# (LEFTARG = int, RIGHTARG = int, FUNCTION = op);
SELECT 5+*/* ; */3, 5 #-#-- ;
3, 5 OPERATOR(public.+*) 3;
