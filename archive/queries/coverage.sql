-- Every outlet that is switched on, or was looked at in the window [:since, :until) of whole hours.
SELECT o.id, o.name_ar, coalesce(sum(c.looks), 0), coalesce(sum(c.ok), 0), coalesce(sum(c.blocked), 0),
       coalesce(sum(c.outage), 0), coalesce(sum(c.new_articles), 0)
FROM outlets o LEFT JOIN coverage c ON c.outlet_id = o.id AND c.hour >= substr(:since, 1, 13) AND c.hour < :until
WHERE c.hour IS NOT NULL OR EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id AND next_at IS NOT NULL)
GROUP BY o.id ORDER BY o.id
