-- name: files
-- Every WARC file that the archive knows, and whether it is closed.
SELECT file, max(closed) FROM (SELECT DISTINCT file, 0 AS closed FROM captures UNION SELECT file, 1 FROM warc_files)
GROUP BY file

-- name: captures
-- The captures of a WARC file in their order, with the version read from each, and what was redacted.
SELECT c.*, v.id AS version_id, r.at IS NOT NULL AS redacted, r.done_at FROM captures c
LEFT JOIN versions v ON v.capture_id = c.id LEFT JOIN redactions r ON r.article_id = c.article_id
WHERE c.file = ? GROUP BY c.id ORDER BY c.offset

-- name: copied
-- The captures of a WARC file that end behind a byte, without redacted ones.
SELECT c.id, coalesce((SELECT min(v.id) FROM versions v WHERE v.capture_id = c.id), 'none'), offset, length, record_sha256
FROM captures c WHERE file = ? AND offset + length > ? AND article_id NOT IN (SELECT article_id FROM redactions) ORDER BY offset

-- name: versions
-- The versions of an article, numbered, with their rows of the ledger.
SELECT h.number, v.*, l.seq AS ledger_seq, l.record_sha256
FROM history h JOIN versions v ON v.id = h.version_id JOIN ledger l ON l.version_id = v.id
WHERE h.article_id = ? ORDER BY 1

-- name: of_article
-- The versions of an article, each with its row of the ledger (0: none) and the file that its capture lies in.
SELECT v.id, coalesce(l.seq, 0) AS seq, c.file FROM versions v LEFT JOIN ledger l ON l.version_id = v.id
LEFT JOIN captures c ON c.id = v.capture_id WHERE v.article_id = ? ORDER BY v.id

-- name: capture
-- A capture, and where the bytes before it, its request, begin.
SELECT c.*, coalesce((SELECT max(b.offset + b.length) FROM captures b WHERE b.file = c.file AND b.offset < c.offset), 0)
  AS request_offset
FROM captures c WHERE c.id = ?

-- name: taken_out
-- The captures of which a redaction is begun and not ended.
SELECT r.article_id, c.file, c.offset, c.length, c.at FROM captures c JOIN redactions r USING (article_id)
WHERE r.done_at IS NULL ORDER BY c.file

-- name: closed_anew
-- A closed file ?1 has this length and hash now, if it has others than it had.
INSERT INTO warc_files (file, length, sha256, at) SELECT file, ?2, ?3, ?4 FROM warc_files
WHERE id = (SELECT max(id) FROM warc_files WHERE file = ?1) AND (length, sha256) <> (?2, ?3)

-- name: stamps
-- Every stamp, with the row of the ledger that it is of.
SELECT s.id, s.at, s.seq, s.head, s.token, l.prev_sha256, l.record_sha256
FROM stamps s LEFT JOIN ledger l USING (seq) ORDER BY s.id

-- name: record
-- A version with all that its record in the ledger covers.
SELECT v.id, a.url AS article_url, v.captured_at, v.text_sha256, v.title, v.text, v.author, v.section, v.published_at,
  v.published_source, v.modified_at, v.credit, v.language, v.extractor, v.related, c.url AS capture_url,
  c.at AS capture_at, c.http_status, c.record_sha256 AS capture_sha256, c.payload_sha256, c.request_sha256
FROM versions v JOIN articles a ON a.id = v.article_id LEFT JOIN captures c ON c.id = v.capture_id WHERE v.id = ?

-- name: known
-- How long each WARC file is, as far as it is known, and which redactions changed it and are ended.
SELECT file, max(0, CAST(max(offset + length) AS INTEGER)), (
  SELECT group_concat(article_id) FROM (SELECT DISTINCT r.article_id FROM redactions r
    JOIN captures o ON o.article_id = r.article_id AND o.file = c.file WHERE r.done_at IS NOT NULL ORDER BY 1))
FROM captures c GROUP BY file ORDER BY file
