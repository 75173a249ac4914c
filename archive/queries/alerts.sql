-- name: version_before
-- The version of the same article before a version.
SELECT v.id FROM versions v JOIN versions n ON n.id = ? AND v.article_id = n.article_id
WHERE (v.captured_at, v.id) < (n.captured_at, n.id) ORDER BY v.captured_at DESC, v.id DESC LIMIT 1

-- name: had
-- How many instant mails a reader had since :since from :rule, and from all; those that wait since :held count as well,
-- those of after :now, by a clock that was ahead, do not.
SELECT coalesce(sum(rule = :rule), 0), count(*) FROM mails WHERE channel = :channel AND recipient = :recipient
  AND kind = 'instant' AND created_at > :held AND created_at <= :now
  AND (max(created_at, coalesce(sent_at, '')) > :since OR state IN ('queued', 'sending'))

-- name: event
-- An event, and what a mail tells of its article beside its versions.
SELECT e.id, e.at, e.kind, e.article_id, e.version_id, e.backlog, json_extract(e.detail, '$.silent'), a.url,
  iif(:arabic, o.name_ar, o.name_en), (SELECT max(at) FROM fetches
    WHERE article_id = e.article_id AND outcome IN ('ok', 'unchanged') AND at <= e.at)
FROM events e JOIN articles a ON a.id = e.article_id LEFT JOIN outlets o ON o.id = a.outlet_id WHERE e.id = :id

-- name: copies
-- Articles (a JSON list of ids), in the order in which they were seen: id, title, text, and the outlet's name.
SELECT a.id, v.title, v.text, iif(:arabic, o.name_ar, o.name_en)
FROM articles a JOIN versions v ON v.id = a.latest_version_id LEFT JOIN outlets o ON o.id = a.outlet_id
WHERE a.id IN (SELECT value FROM json_each(:articles)) ORDER BY a.first_seen_at, a.id LIMIT :most

-- name: mail
-- What is known of a mail beside its events; of a notice its text.
SELECT recipient, m.kind, message_id, n.text FROM mails m LEFT JOIN notices n ON n.id = m.notice_id WHERE m.id = ?

-- name: due
-- Mails to send now by a channel, longest due first.
SELECT id FROM mails WHERE state = 'queued' AND channel = ? AND next_attempt_at <= ?
ORDER BY next_attempt_at, id LIMIT ?

-- name: wait
-- No mail can be sent now: all that is due at :now waits until :again.
UPDATE mails SET next_attempt_at = :again, error = :error
WHERE state = 'queued' AND channel = 'email' AND next_attempt_at <= :now

-- name: retry
-- A mail that failed or waits is due, as if it had never been tried; without an id all that failed.
UPDATE mails SET state = 'queued', attempts = 0, next_attempt_at = :now, error = NULL
WHERE state = 'failed' AND :id IS NULL OR id = :id AND state IN ('failed', 'queued')

-- name: telling
-- The newest mail to a reader with this event, or one of this kind, of one of these articles (a JSON list); whether it
-- may take more, since it was never tried (a server may have taken it); and of what kind it is.
SELECT m.id, m.state = 'queued' AND m.attempts = 0, m.kind
FROM events e JOIN mail_events j ON j.event_id = e.id JOIN mails m ON m.id = j.mail_id
WHERE e.article_id IN (SELECT value FROM json_each(:articles)) AND (e.id = :event OR e.kind = :kind)
  AND j.channel = :channel AND j.recipient = :recipient ORDER BY m.id DESC LIMIT 1

-- name: gathering
-- The digest of a rule and reader that still gathers.
SELECT id, created_at FROM mails WHERE state = 'queued' AND attempts = 0 AND kind = 'digest'
  AND rule = ? AND channel = ? AND recipient = ? ORDER BY id LIMIT 1

-- name: outbox
-- Mails in a state, or in any, the newest first: to whom, what became of each, and why one failed or waits.
SELECT id, rule, recipient, kind, state, attempts,
  (SELECT count(DISTINCT event_id) FROM mail_events WHERE mail_id = mails.id) AS events,
  coalesce(sent_at, next_attempt_at) AS at, error
FROM mails WHERE ?1 IS NULL OR state = ?1 ORDER BY id DESC LIMIT ?2
