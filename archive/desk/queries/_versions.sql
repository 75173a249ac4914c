SELECT h.number, h.version_id, h.captured_at, h.title, h.author, h.published_at, h.published_source, h.modified_at,
       h.credit, h.extractor, h.text, h.capture_id, v.text_sha256, l.seq AS ledger_seq
FROM history h JOIN versions v ON v.id = h.version_id LEFT JOIN ledger l ON l.version_id = h.version_id
WHERE h.article_id = :id ORDER BY h.number DESC
