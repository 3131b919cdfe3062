SELECT U&'\0061;\+00003B', u&'d\\;', U&'it''s;', U&';' AS ";" FROM (SELECT 1) s;
SELECT U&'!003b;' UESCAPE '!', U&'x;0061' UESCAPE ';', U&'#0061''' UESCAPE '#' -- ;
  , U&'\0041' UESCAPE
'\', U&'@' /* ; */ UESCAPE /* ; */ '?';
CREATE TABLE U&"t\0061;" (u&"!0063""ol;" int, U&"x" int, "U&""y" int, u int);
CREATE TABLE U&"d!0061ta;" UESCAPE '!' (a int);
CREATE TABLE uescape (u int, e int, b int, x int, n int);
SELECT u&e, u& -1, u &'3', b, x FROM uescape;
SELECT U&'a'
'b;'
'\0063';
