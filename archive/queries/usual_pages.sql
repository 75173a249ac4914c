-- Of the pages of an outlet that answered in a window, the newest: whether it gave no article.
SELECT outcome <> 'ok' FROM fetches WHERE outlet_id = :outlet AND at > :since AND at <= :until
AND source_id IS NULL AND outcome IN ('ok', 'not_article', 'unreadable') ORDER BY at DESC LIMIT 300
