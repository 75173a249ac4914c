-- name: queues
-- How much waits, under the name by which it is told.
SELECT (SELECT count(*) FROM frontier WHERE next_at <= :now) AS "addresses to fetch",
  (SELECT count(*) FROM articles WHERE next_check_at <= :now) AS "revisits due",
  (SELECT count(*) FROM mails WHERE state IN ('queued', 'sending') AND next_attempt_at <= :now) AS "mails due",
  (SELECT count(*) FROM mails WHERE state = 'queued') AS "mails waiting",
  (SELECT count(*) FROM mails WHERE state = 'failed') AS "mails failed"

-- name: oldest_mail
-- Since when the oldest mail is late, and why: it is due, or was tried and put off; a digest that gathers is not late.
SELECT min(iif(attempts OR error IS NOT NULL, created_at, next_attempt_at)), max(error) FROM mails
WHERE state = 'queued' AND (next_attempt_at <= ? OR attempts OR error IS NOT NULL)

-- name: errors
-- What failed at each outlet since then, by kind.
SELECT outlet_id, outcome, count(*) FROM fetches INDEXED BY fetches_at WHERE at > ?
  AND outcome NOT IN ('ok', 'unchanged', 'moved', 'not_article') AND outlet_id IS NOT NULL GROUP BY 1, 2
