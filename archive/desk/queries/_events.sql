SELECT at, kind FROM events WHERE article_id = :id ORDER BY at, id LIMIT 200
