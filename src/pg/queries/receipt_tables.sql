-- The tables of a receipt.
SELECT t ->> 'schema', t ->> 'name', t ->> 'prod', t ->> 'twin', t ->> 'rows'
FROM revtwin.receipt r CROSS JOIN LATERAL jsonb_array_elements(r.tables) t
WHERE r.id = $1::text::bigint
ORDER BY t ->> 'schema' COLLATE "C", t ->> 'name' COLLATE "C"
