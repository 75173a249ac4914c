-- name: stored
-- What a version changed of the one before it, what matters first, in the fields of materiality.Edit.
SELECT field, op, kind, reasons, passage, before, after, from_start, from_end, start, "end" FROM edits
WHERE version_id = :version AND from_version_id = :older ORDER BY id

-- name: newest
-- The newest version of an article: where its capture lies, and what it is compared by.
SELECT v.id, c.file, c.offset, c.length, v.title, v.text, v.author, v.published_at, v.published_source, v.extractor
FROM articles a JOIN versions v ON v.id = a.latest_version_id JOIN captures c ON c.id = v.capture_id WHERE a.id = ?

-- name: lately
-- Edits since a moment of other articles of an outlet.
SELECT e.id, e.article_id, e.detail FROM events e JOIN articles a ON a.id = e.article_id
WHERE e.kind = 'edited' AND e.at > ? AND a.outlet_id = ? AND e.article_id != ?

-- name: drifts
-- A line of an outlet drifts; by its signature, which says whether it was inserted or removed.
INSERT INTO drift (outlet_id, signature, inserted, removed, first_at, last_at)
VALUES (?1, ?2, iif(?2 LIKE '+%', ?3, NULL), iif(?2 LIKE '-%', ?3, NULL), ?4, ?4)
ON CONFLICT DO UPDATE SET last_at = ?4 RETURNING id

-- name: counted
-- How many articles a line that drifts stands in.
UPDATE drift SET articles = (SELECT count(*) FROM drift_articles WHERE drift_id = id) WHERE id = ?

-- name: untold
-- No mail that was never tried tells of an event.
DELETE FROM mail_events
WHERE event_id = ? AND mail_id IN (SELECT id FROM mails WHERE state = 'queued' AND attempts = 0)

-- name: emptied
-- Mails with nothing left to tell are not sent.
UPDATE mails SET state = 'failed', next_attempt_at = NULL, error = 'what it told of was drift'
WHERE state = 'queued' AND notice_id IS NULL AND NOT EXISTS (SELECT 1 FROM mail_events WHERE mail_id = mails.id)
