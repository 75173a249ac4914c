-- What waits for a moment after :far waits no longer than :now, mails and hosts after :soon: no longer are they put off.
UPDATE sources SET next_at = :now WHERE next_at > :far;
UPDATE frontier SET next_at = :now WHERE next_at > :far;
UPDATE articles SET next_check_at = :now WHERE next_check_at > :far;
UPDATE mails SET next_attempt_at = :now WHERE next_attempt_at > :soon;
DELETE FROM hosts WHERE not_before > :soon
