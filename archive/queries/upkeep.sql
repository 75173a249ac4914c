-- name: old_crawls
-- Crawls of before a moment that nobody needs any more: the last one of each outlet stays, and that of saved pages.
SELECT c.id FROM (SELECT id FROM outlets UNION ALL SELECT NULL) o
JOIN crawls c ON c.outlet_id IS o.id AND c.started_at < ?1
WHERE c.finished_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM crawls l WHERE l.outlet_id IS o.id AND l.started_at > c.started_at)
  AND NOT EXISTS (SELECT 1 FROM fetches WHERE crawl_id = c.id AND at >= ?1)

-- name: open_file
-- How far a WARC file that is not closed yet is known.
SELECT offset + length FROM captures
WHERE file = ?1 AND NOT EXISTS (SELECT 1 FROM warc_files WHERE file = ?1) ORDER BY offset DESC LIMIT 1

-- name: old_files
-- Passed files of days before a moment, and how many captures each holds. A file's name says when it was written.
SELECT file, count(*) FROM captures WHERE series = 'passed' GROUP BY file
HAVING max(at) < ?1 AND file < 'passed-' || substr(?1, 1, 10) ORDER BY file
