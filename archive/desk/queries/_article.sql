SELECT a.id, a.outlet_id, a.url, a.status, a.suspect_at, a.gone_at, a.backlog, a.first_seen_at, a.last_checked_at,
       a.next_check_at, a.latest_version_id, o.name_ar, o.name_en, o.country, o.kind AS outlet_kind,
       (SELECT m.article_id FROM addresses m WHERE m.url = a.url AND m.article_id <> a.id) AS goes_on_as
FROM articles a LEFT JOIN outlets o ON o.id = a.outlet_id WHERE a.id = :id
