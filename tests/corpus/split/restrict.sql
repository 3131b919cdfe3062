\restrict aBcD123

CREATE TABLE t (a int);

\unrestrict aBcD123

