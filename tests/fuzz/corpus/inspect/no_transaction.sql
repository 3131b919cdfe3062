-- revtwin: no-transaction
set search_path = a;
create unique index concurrently if not exists i on s.t using gin (a);
drop index concurrently if exists s.i cascade;
reindex (concurrently, verbose) table t;
reindex index concurrently i;
alter table s.t detach partition p concurrently;
vacuum (full) t;
cluster;
create database d;
alter system set a = 1;
alter type e add value 'x';
