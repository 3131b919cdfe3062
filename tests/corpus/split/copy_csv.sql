CREATE TABLE t ("from" int, "stdin" text);
copy public.t ("from", "stdin") from stdin with (format csv, header true);
from,stdin
1,"a;"
2,"say ""hi"""
\.

select count(*) from t;
