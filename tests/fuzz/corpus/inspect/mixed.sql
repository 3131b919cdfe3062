begin; select 1; vacuum t; commit;
