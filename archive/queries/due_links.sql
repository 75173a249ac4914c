-- Addresses found at an outlet that are due, the newest first, in the columns of models.Link but for the second.
SELECT url, backlog, title, published_at, author, NULL, content FROM frontier
WHERE outlet_id IS ? AND next_at <= ? ORDER BY found_at DESC, rowid LIMIT ?
