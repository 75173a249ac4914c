-- Of each outlet that had a page of :host since :day: its looks at known ones since :hour, and whether it waits for more.
-- The host of an address as the index `fetches_host` has it.
SELECT seen.outlet_id, coalesce(n, 0),
  EXISTS (SELECT 1 FROM articles a WHERE a.outlet_id = seen.outlet_id AND a.next_check_at <= :now)
FROM (SELECT DISTINCT outlet_id FROM fetches f WHERE substr(f.url, 1, instr(substr(f.url, 9), '/') + 8) = :host
    AND f.article_id IS NOT NULL AND f.at > :day) seen
LEFT JOIN (SELECT outlet_id, count(*) AS n FROM fetches f
    WHERE substr(f.url, 1, instr(substr(f.url, 9), '/') + 8) = :host AND f.article_id IS NOT NULL AND f.at > :hour
    AND f.at > (SELECT first_seen_at FROM articles a WHERE a.id = f.article_id) GROUP BY 1) looks
  ON looks.outlet_id IS seen.outlet_id
