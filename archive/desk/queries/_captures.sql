SELECT id, at, http_status, series, file, offset, length, record_sha256, url FROM captures
WHERE article_id = :id ORDER BY at DESC, id DESC LIMIT 100
