set a = 1; vacuum t; lock table t; reset a;
