selekt 1;
create table;
create function begin() returns int as '' language sql; select 2 as end;
merge into t using u on true when matched then delete returning *;
