-- name: place
-- A place as the gazetteer has it.
INSERT INTO places VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name_ar = excluded.name_ar,
  name_en = excluded.name_en, kind = excluded.kind, lat = excluded.lat, lon = excluded.lon

-- name: mentioned
-- Where a version names one of these places (a JSON list of ids).
SELECT field, start, "end" FROM mentions WHERE version_id = ? AND place_id IN (SELECT value FROM json_each(?))

-- name: counted
-- Where a version has a figure of this act, of these people, of at least so many; null for any. "People" are of all
-- kinds; how many a family counts, nobody says, and bodies are found, not people.
SELECT field, start, "end" FROM figures
WHERE version_id = ?1 AND (?2 IS NULL OR act = ?2) AND (?4 IS NULL OR low >= ?4)
  AND (?3 IS NULL OR counted = ?3 OR (?3 = 'people' AND counted NOT IN ('families', 'bodies')))
