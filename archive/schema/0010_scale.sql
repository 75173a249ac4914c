-- What a page shows at once is counted as it changes, and found through an index, however large the archive becomes.

-- When an article is taken to be from: the printed moment (a day until its end), never later than when it was first seen.
ALTER TABLE articles ADD COLUMN dated_at TEXT;

-- How much there is of what: articles, kept, withdrawn (of: an outlet, '' for imports), versions, events (of: a kind),
-- substantive and passing (of: a topic; kept articles by their newest version). Kept in step by triggers.
CREATE TABLE tallies (
  name TEXT NOT NULL,
  of TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (name, of)
) STRICT, WITHOUT ROWID;

-- The same, counted anew, which takes its time: what tallies are held to, and mended by.
CREATE VIEW tallies_counted AS
SELECT 'articles' AS name, coalesce(outlet_id, '') AS of, count(*) AS number FROM articles GROUP BY 2
UNION ALL SELECT 'kept', coalesce(outlet_id, ''), count(*) FROM articles WHERE latest_version_id IS NOT NULL GROUP BY 2
UNION ALL SELECT 'withdrawn', coalesce(outlet_id, ''), count(*) FROM articles
  WHERE latest_version_id IS NOT NULL AND status = 'gone' GROUP BY 2
UNION ALL SELECT 'versions', '', count(*) FROM versions HAVING count(*) > 0
UNION ALL SELECT 'events', kind, count(*) FROM events GROUP BY 2
UNION ALL SELECT m.strength, m.topic, count(*) FROM articles a JOIN matches m ON m.version_id = a.latest_version_id
  GROUP BY 1, 2;

INSERT INTO tallies SELECT name, of, number FROM tallies_counted;
UPDATE articles SET dated_at = (
  SELECT min(articles.first_seen_at, coalesce(strftime('%Y-%m-%dT%H:%M:%SZ',
    v.published_at || CASE length(v.published_at) WHEN 10 THEN 'T23:59:59' ELSE '' END), articles.first_seen_at))
  FROM versions v WHERE v.id = articles.latest_version_id) WHERE latest_version_id IS NOT NULL;

CREATE INDEX articles_dated ON articles (dated_at, latest_version_id) WHERE latest_version_id IS NOT NULL;
CREATE INDEX articles_checked ON articles (outlet_id, last_checked_at) WHERE latest_version_id IS NOT NULL;
CREATE INDEX articles_missing ON articles (outlet_id, status) WHERE status <> 'live';
CREATE INDEX crawls_running ON crawls (outcome) WHERE outcome = 'running';
-- The outcomes are those of archive.models.ANSWERED, in the same order, or queries do not find the index.
CREATE INDEX fetches_trouble ON fetches (outlet_id, at) WHERE outcome NOT IN ('ok', 'unchanged', 'moved', 'gone', 'not_article');

CREATE TRIGGER tally_article AFTER INSERT ON articles BEGIN
  INSERT INTO tallies SELECT 'articles', coalesce(NEW.outlet_id, ''), 1 WHERE true
    ON CONFLICT DO UPDATE SET number = number + excluded.number;
END;
CREATE TRIGGER tally_changed AFTER UPDATE OF outlet_id, status, latest_version_id ON articles
WHEN (OLD.outlet_id, OLD.status, OLD.latest_version_id) IS NOT (NEW.outlet_id, NEW.status, NEW.latest_version_id) BEGIN
  INSERT INTO tallies
    SELECT 'articles', coalesce(OLD.outlet_id, ''), -1 WHERE OLD.outlet_id IS NOT NEW.outlet_id
    UNION ALL SELECT 'articles', coalesce(NEW.outlet_id, ''), 1 WHERE OLD.outlet_id IS NOT NEW.outlet_id
    UNION ALL SELECT 'kept', coalesce(OLD.outlet_id, ''), -1 WHERE OLD.latest_version_id IS NOT NULL
    UNION ALL SELECT 'kept', coalesce(NEW.outlet_id, ''), 1 WHERE NEW.latest_version_id IS NOT NULL
    UNION ALL SELECT 'withdrawn', coalesce(OLD.outlet_id, ''), -1
      WHERE OLD.latest_version_id IS NOT NULL AND OLD.status = 'gone'
    UNION ALL SELECT 'withdrawn', coalesce(NEW.outlet_id, ''), 1
      WHERE NEW.latest_version_id IS NOT NULL AND NEW.status = 'gone'
    UNION ALL SELECT strength, topic, -1 FROM matches
      WHERE version_id = OLD.latest_version_id AND OLD.latest_version_id IS NOT NEW.latest_version_id
    UNION ALL SELECT strength, topic, 1 FROM matches
      WHERE version_id = NEW.latest_version_id AND OLD.latest_version_id IS NOT NEW.latest_version_id
    ON CONFLICT DO UPDATE SET number = number + excluded.number;
END;
CREATE TRIGGER tally_article_gone AFTER DELETE ON articles BEGIN
  UPDATE tallies SET number = number - 1 WHERE of = coalesce(OLD.outlet_id, '')
    AND (name = 'articles' OR OLD.latest_version_id IS NOT NULL AND (name = 'kept' OR name = 'withdrawn' AND OLD.status = 'gone'));
  UPDATE tallies SET number = number - 1
    WHERE (name, of) IN (SELECT strength, topic FROM matches WHERE version_id = OLD.latest_version_id);
END;
CREATE TRIGGER tally_match AFTER INSERT ON matches
WHEN NEW.version_id = (SELECT a.latest_version_id FROM versions v JOIN articles a ON a.id = v.article_id WHERE v.id = NEW.version_id) BEGIN
  INSERT INTO tallies SELECT NEW.strength, NEW.topic, 1 WHERE true ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER tally_match_gone AFTER DELETE ON matches
WHEN OLD.version_id = (SELECT a.latest_version_id FROM versions v JOIN articles a ON a.id = v.article_id WHERE v.id = OLD.version_id) BEGIN
  UPDATE tallies SET number = number - 1 WHERE name = OLD.strength AND of = OLD.topic;
END;
CREATE TRIGGER tally_version AFTER INSERT ON versions BEGIN
  INSERT INTO tallies SELECT 'versions', '', 1 WHERE true ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER tally_version_gone AFTER DELETE ON versions BEGIN
  UPDATE tallies SET number = number - 1 WHERE name = 'versions';
END;
CREATE TRIGGER tally_event AFTER INSERT ON events BEGIN
  INSERT INTO tallies SELECT 'events', NEW.kind, 1 WHERE true ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER tally_event_gone AFTER DELETE ON events BEGIN
  UPDATE tallies SET number = number - 1 WHERE name = 'events' AND of = OLD.kind;
END;
CREATE TRIGGER date_article AFTER UPDATE OF latest_version_id ON articles WHEN NEW.latest_version_id IS NOT NULL BEGIN
  UPDATE articles SET dated_at = (
    SELECT min(NEW.first_seen_at, coalesce(strftime('%Y-%m-%dT%H:%M:%SZ',
      v.published_at || CASE length(v.published_at) WHEN 10 THEN 'T23:59:59' ELSE '' END), NEW.first_seen_at))
    FROM versions v WHERE v.id = NEW.latest_version_id) WHERE id = NEW.id;
END;

-- Without a join: counting the view's rows, as every page of it does, opens no version.
DROP VIEW latest;
CREATE VIEW latest AS
SELECT a.id AS article_id, a.outlet_id, a.url, a.status, a.gone_at, a.backlog,
       (SELECT title FROM versions v WHERE v.id = a.latest_version_id) AS title,
       (SELECT author FROM versions v WHERE v.id = a.latest_version_id) AS author,
       (SELECT published_at FROM versions v WHERE v.id = a.latest_version_id) AS published_at,
       (SELECT published_source FROM versions v WHERE v.id = a.latest_version_id) AS published_source,
       (SELECT credit FROM versions v WHERE v.id = a.latest_version_id) AS credit,
       (SELECT language FROM versions v WHERE v.id = a.latest_version_id) AS language,
       a.first_seen_at, a.last_checked_at,
       (SELECT captured_at FROM versions v WHERE v.id = a.latest_version_id) AS captured_at,
       (SELECT count(*) FROM versions n WHERE n.article_id = a.id) AS versions,
       (SELECT group_concat(topic, ', ') FROM (SELECT topic FROM matches WHERE version_id = a.latest_version_id
          AND strength = 'substantive' ORDER BY topic)) AS topics,
       (SELECT group_concat(topic, ', ') FROM (SELECT topic FROM matches WHERE version_id = a.latest_version_id
          AND strength = 'passing' ORDER BY topic)) AS passing,
       a.latest_version_id AS version_id,
       (SELECT text FROM versions v WHERE v.id = a.latest_version_id) AS text
FROM articles a WHERE a.latest_version_id IS NOT NULL;
