-- How much there is of what.
WITH tally (name, number) AS (SELECT name, sum(number) FROM tallies GROUP BY name)
SELECT coalesce((SELECT number FROM tally WHERE name = 'kept'), 0) AS kept,
  coalesce((SELECT number FROM tally WHERE name = 'articles'), 0)
    - coalesce((SELECT number FROM tally WHERE name = 'kept'), 0) AS passed,
  coalesce((SELECT number FROM tally WHERE name = 'versions'), 0) AS versions,
  coalesce((SELECT number FROM tally WHERE name = 'withdrawn'), 0) AS withdrawn,
  (SELECT count(*) FROM articles WHERE status <> 'live' AND status = 'suspect') AS "missing, in doubt",
  (SELECT count(*) FROM frontier WHERE next_at IS NOT NULL) AS "to fetch",
  (SELECT count(*) FROM frontier WHERE next_at IS NULL) AS "given up",
  (SELECT count(*) FROM articles WHERE next_check_at IS NOT NULL) AS "to look at again",
  (SELECT count(*) FROM mails WHERE state = 'queued') AS "mails waiting",
  (SELECT count(*) FROM mails WHERE state = 'failed') AS "mails failed"
