SELECT $é$;'$é$, $日本$ ; $$ ; $日本$;
SELECT 1;
