-- What Flyway says was applied. The last row of a version or of a repeatable migration's
-- description counts; undoing it, or repairing after its file was deleted, takes it back.
-- A baseline stands for every version up to its own, and a migration that was applied for
-- every baseline migration (B...) up to it: Flyway runs neither any more.
-- After WITH t AS (SELECT * FROM flyway_schema_history)
, last AS (
    SELECT DISTINCT ON (version, CASE WHEN version IS NULL THEN description END) *,
           CASE WHEN version IS NULL THEN 'R' WHEN type LIKE '%\_BASELINE' THEN 'B'
                ELSE 'V' END AS letter,
           coalesce(version, description) AS name
    FROM t
    WHERE type <> 'SCHEMA'
    ORDER BY version, CASE WHEN version IS NULL THEN description END, installed_rank DESC
)
SELECT letter || name, CASE WHEN success THEN 'applied' ELSE 'failed' END,
       checksum::text, script
FROM (
    SELECT *
    FROM last
    WHERE type NOT IN ('BASELINE', 'INIT', 'DELETE')
      AND NOT (type LIKE 'UNDO\_%' AND success)
    ORDER BY installed_rank
) AS applied
UNION ALL
(SELECT covered.letter || name, 'below', NULL, script
 FROM last, (VALUES ('V'), ('B')) AS covered (letter)
 WHERE last.letter <> 'R' AND success AND type <> 'DELETE' AND type NOT LIKE 'UNDO\_%'
   AND (covered.letter = 'B' OR type = 'INIT' OR type LIKE '%BASELINE')
 ORDER BY covered.letter, installed_rank DESC)
