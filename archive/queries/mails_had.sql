-- How many instant mails a reader had since :since from :rule, and from all; those that wait since :held count as well.
SELECT coalesce(sum(rule = :rule), 0), count(*) FROM mails WHERE channel = :channel AND recipient = :recipient
  AND kind = 'instant' AND created_at > :held
  AND (max(created_at, coalesce(sent_at, '')) > :since OR state IN ('queued', 'sending'))
