-- An address that a listing named, unless it is known.
INSERT OR IGNORE INTO frontier
  (url, outlet_id, source_id, found_at, backlog, title, published_at, author, content, next_at)
SELECT :url, :outlet_id, :source_id, :at, :backlog, :title, :published_at, :author, :content, :at
WHERE NOT EXISTS (SELECT 1 FROM addresses WHERE url = :url)
