copy t from stdin;
1	2
\.
\restrict x
copy t from stdin (format csv); -- x
\.
select 1;
\unrestrict x
copy t from stdin