begin;
set a = 1;
select 1;
commit;
