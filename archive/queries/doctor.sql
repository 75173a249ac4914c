-- name: indexed
-- Kept articles behind an id with their words, and those that the search index has of them; not redacted ones.
SELECT a.id, v.title, v.text, f.title, f.text FROM articles a JOIN versions v ON v.id = a.latest_version_id
LEFT JOIN articles_fts f ON f.rowid = a.id WHERE a.id > ?
  AND a.id NOT IN (SELECT article_id FROM redactions) ORDER BY a.id LIMIT ?

-- name: stray
-- What the search index has of articles that are not kept, or redacted.
SELECT rowid FROM articles_fts WHERE rowid NOT IN (SELECT id FROM articles WHERE latest_version_id IS NOT NULL)
  OR rowid IN (SELECT article_id FROM redactions)
