-- What goes with the words of article :id: all that holds words of its versions (a JSON list of their :lines), or
-- numbers made of them.
DELETE FROM drift_articles WHERE drift_id IN (
  SELECT drift.id FROM drift, json_each(:lines) WHERE value IN (inserted, removed));
DELETE FROM drift WHERE id IN (SELECT drift.id FROM drift, json_each(:lines) WHERE value IN (inserted, removed));
DELETE FROM passages WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM labels WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM mentions WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM figures WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM facts_backlog WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM edits WHERE version_id IN (SELECT id FROM versions WHERE article_id = :id)
  OR from_version_id IN (SELECT id FROM versions WHERE article_id = :id);
DELETE FROM articles_fts WHERE rowid = :id;
DELETE FROM story_bands WHERE article_id = :id;
DELETE FROM story_terms WHERE article_id = :id;
DELETE FROM story_backlog WHERE article_id = :id;
DELETE FROM frontier WHERE url IN (SELECT url FROM addresses WHERE article_id = :id);
DELETE FROM mail_events WHERE mail_id IN (SELECT id FROM mails WHERE state = 'queued')
  AND event_id IN (SELECT id FROM events WHERE article_id = :id);
UPDATE events SET detail = NULL WHERE article_id = :id;
UPDATE mails SET state = 'failed', next_attempt_at = NULL, error = 'what it told of was redacted'
  WHERE state = 'queued' AND notice_id IS NULL AND id NOT IN (SELECT mail_id FROM mail_events);
UPDATE articles SET next_check_at = NULL WHERE id = :id
