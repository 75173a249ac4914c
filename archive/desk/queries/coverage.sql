-- title: Coverage and fetch failures
-- description: Every outlet that was ever switched on, over the last hours, those in trouble first: looks, what they met, what they brought, the latest error. An outlet that was not looked at shows so.
-- hours: 24
WITH since(at) AS (
  SELECT coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || coalesce(nullif(:hours, ''), '24') || ' hours'), '')
), looks AS (
  SELECT outlet_id, count(*) AS looks,
         sum(outcome IN ('ok', 'unchanged', 'moved', 'gone', 'not_article')) AS answered,
         sum(outcome = 'blocked') AS blocked,
         sum(outcome IN ('outage', 'tls', 'timeout')) AS outages,
         sum(outcome IN ('refused', 'too_large', 'unreadable')) AS unread,
         max(iif(outcome IN ('ok', 'unchanged'), f.at, NULL)) AS last_ok_at
  FROM since CROSS JOIN fetches f WHERE f.at >= since.at GROUP BY outlet_id
), yield AS (
  SELECT outlet_id, count(*) AS new_articles, count(latest_version_id) AS kept
  FROM since CROSS JOIN articles WHERE first_seen_at >= since.at GROUP BY outlet_id
)
SELECT o.id AS outlet_id, o.name_ar AS outlet,
       CASE WHEN k.looks IS NULL THEN 'no look' WHEN k.answered = 0 THEN 'failing'
            WHEN k.answered < k.looks THEN 'partly' ELSE 'ok' END AS state,
       coalesce(k.looks, 0) AS looks, coalesce(k.answered, 0) AS answered, coalesce(k.blocked, 0) AS blocked,
       coalesce(k.outages, 0) AS outages, coalesce(k.unread, 0) AS unread, k.last_ok_at,
       coalesce(y.new_articles, 0) AS new_articles, coalesce(y.kept, 0) AS kept,
       (SELECT f.outcome || coalesce(' ' || f.status, '') || coalesce(': ' || f.error, '') FROM fetches f, since
        WHERE f.outlet_id = o.id AND f.at >= since.at AND f.outcome NOT IN ('ok', 'unchanged', 'moved', 'gone', 'not_article')
        ORDER BY f.at DESC, f.id DESC LIMIT 1) AS last_error,
       (SELECT min(s.next_at) FROM sources s WHERE s.outlet_id = o.id) AS next_at
FROM outlets o LEFT JOIN looks k ON k.outlet_id = o.id LEFT JOIN yield y ON y.outlet_id = o.id
WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id) OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)
ORDER BY coalesce(1.0 * k.answered / k.looks, -1), o.id
LIMIT 500
