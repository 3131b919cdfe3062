SELECT $été_1$;$ete_1$$ÉTÉ_1$'$été_1$, $_$;$_$, $ñ$ $n$ ; $ñ$, $日本語$;$日本$;$日本語$;
CREATE FUNCTION größe() RETURNS text LANGUAGE sql AS $größe$ SELECT 'ß;'::text; $größe$;
SELECT größe() AS é$1, 1 AS a$$, 2 AS b$é$ FROM (SELECT 1) s;
