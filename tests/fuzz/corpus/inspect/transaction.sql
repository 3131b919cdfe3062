begin;
savepoint a;
set local work_mem = '1MB';
lock table t;
rollback to a;
release a;
set constraints all deferred;
declare c cursor for select 1;
commit;
