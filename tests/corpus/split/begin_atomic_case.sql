create function f(x int default case when true then 1 else 2 end) returns text language sql
begin atomic
    select case x when 1 then 'one;' else case when x > 5 then 'big' else 'end' end end;
end;
select f(); select f(7);
