-- Versions, in the columns of reading.VersionRow.
SELECT (SELECT count(*) FROM versions n WHERE n.article_id = v.article_id
  AND (n.captured_at, n.id) <= (v.captured_at, v.id)),
  v.id, v.article_id, v.capture_id, v.captured_at, v.title, v.text, v.author, v.section, v.published_at,
  v.published_source, v.modified_at, v.credit, v.language, v.extractor, v.text_sha256
FROM versions v
