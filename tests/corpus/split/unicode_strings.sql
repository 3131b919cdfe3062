SELECT U&'\0441\043B;' AS a, u&'d!0061;' UESCAPE '!' AS b, U&'\\';
CREATE TABLE U&"t\0061;" (a int);
