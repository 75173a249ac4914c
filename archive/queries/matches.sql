-- The topics of a version, the strongest first, each with its passages; one row without a passage where it has none.
SELECT m.topic, m.strength, m.score, p.field, p.start, p."end", p.term, p.surface
FROM matches m LEFT JOIN passages p ON p.version_id = m.version_id AND p.topic = m.topic
WHERE m.version_id = :version ORDER BY m.strength DESC, m.score DESC, m.topic, p.field DESC, p.start
