;;
; ;CREATE TABLE t (a int);
;
/* c */ ; -- d
;