-- The archive's tables in their first released form. STRICT, INTEGER keys (outlets and topics: text),
-- a CHECK on every enumeration. System times are UTC ISO 8601 with Z.

CREATE TABLE outlets (
  id TEXT PRIMARY KEY,
  name_ar TEXT NOT NULL,
  name_en TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('agency','tv','radio','newspaper','website','aggregator','ngo','official','other')),
  country TEXT,
  homepage TEXT,
  timezone TEXT
) STRICT;

CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  outlet_id TEXT NOT NULL REFERENCES outlets(id),
  kind TEXT NOT NULL CHECK (kind IN ('feed','sitemap','section','wordpress','telegram')),
  url TEXT NOT NULL,
  etag TEXT,
  last_modified TEXT,
  first_read_at TEXT,            -- null until it was read once: what it lists until then is backlog
  next_at TEXT,                  -- null: no longer in the configuration
  usual_gap_s INTEGER,
  last_new_at TEXT,
  UNIQUE (outlet_id, url)
) STRICT;

CREATE TABLE articles (
  id INTEGER PRIMARY KEY,
  outlet_id TEXT REFERENCES outlets(id),
  url TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL DEFAULT 'live' CHECK (status IN ('live','suspect','gone')),
  suspect_at TEXT,               -- first look that found it missing
  gone_at TEXT,
  backlog INTEGER NOT NULL DEFAULT 0 CHECK (backlog IN (0,1)),
  first_seen_at TEXT NOT NULL,
  last_checked_at TEXT NOT NULL,
  next_check_at TEXT,
  latest_version_id INTEGER REFERENCES versions(id)   -- null: the article matched nothing and was passed
) STRICT;
CREATE INDEX articles_next_check ON articles (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX articles_due ON articles (outlet_id, next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX articles_seen ON articles (first_seen_at);
CREATE INDEX articles_outlet ON articles (outlet_id, first_seen_at);

CREATE TABLE addresses (
  url TEXT PRIMARY KEY,
  article_id INTEGER NOT NULL REFERENCES articles(id),
  kind TEXT NOT NULL CHECK (kind IN ('canonical','amp','mobile','id','moved'))
) STRICT;
CREATE INDEX addresses_article ON addresses (article_id);

CREATE TABLE rule_sets (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  toml TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;

CREATE TABLE captures (
  id INTEGER PRIMARY KEY,
  article_id INTEGER NOT NULL REFERENCES articles(id),
  url TEXT NOT NULL,
  at TEXT NOT NULL,
  http_status INTEGER,
  series TEXT NOT NULL CHECK (series IN ('kept','passed')),
  file TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  record_sha256 TEXT NOT NULL,
  payload_sha256 TEXT NOT NULL,
  rule_set_id INTEGER REFERENCES rule_sets(id),   -- the rules that passed it over; null for kept captures
  UNIQUE (file, offset)
) STRICT;
CREATE INDEX captures_article ON captures (article_id, at);
CREATE INDEX captures_series ON captures (series, at);

CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  article_id INTEGER NOT NULL REFERENCES articles(id),
  capture_id INTEGER REFERENCES captures(id),
  captured_at TEXT NOT NULL,
  title TEXT NOT NULL,
  author TEXT,
  text TEXT NOT NULL,
  section TEXT,
  published_at TEXT,
  published_source TEXT,
  modified_at TEXT,
  credit TEXT,
  credit_outlet_id TEXT REFERENCES outlets(id),
  language TEXT,
  extractor TEXT NOT NULL,
  related TEXT,                  -- other articles the page appended to this one, never judged with it
  text_sha256 TEXT NOT NULL,
  UNIQUE (article_id, captured_at, text_sha256)
) STRICT;
CREATE TRIGGER versions_no_update BEFORE UPDATE ON versions BEGIN SELECT raise(ABORT, 'a version is never changed'); END;

CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY,
  version_id INTEGER NOT NULL UNIQUE REFERENCES versions(id),
  record_sha256 TEXT NOT NULL,
  prev_sha256 TEXT NOT NULL
) STRICT;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;

CREATE TABLE judgements (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  rule_set_id INTEGER NOT NULL REFERENCES rule_sets(id),
  at TEXT NOT NULL,
  PRIMARY KEY (version_id, rule_set_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE matches (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  topic TEXT NOT NULL,
  rule_set_id INTEGER NOT NULL REFERENCES rule_sets(id),
  strength TEXT NOT NULL CHECK (strength IN ('substantive','passing')),
  score REAL NOT NULL,
  PRIMARY KEY (version_id, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX matches_topic ON matches (topic, strength);

CREATE TABLE passages (
  version_id INTEGER NOT NULL,
  topic TEXT NOT NULL,
  field TEXT NOT NULL CHECK (field IN ('title','text')),
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  term TEXT NOT NULL,
  surface TEXT NOT NULL,
  FOREIGN KEY (version_id, topic) REFERENCES matches(version_id, topic) ON DELETE CASCADE
) STRICT;
CREATE INDEX passages_version ON passages (version_id, topic);

CREATE TABLE crawls (
  id INTEGER PRIMARY KEY,
  outlet_id TEXT REFERENCES outlets(id),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  discovered INTEGER NOT NULL DEFAULT 0,
  fetched INTEGER NOT NULL DEFAULT 0,
  kept INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT 'running' CHECK (outcome IN ('running','ok','partial','failed','interrupted'))
) STRICT;
CREATE INDEX crawls_outlet ON crawls (outlet_id, started_at);

CREATE TABLE fetches (
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER REFERENCES crawls(id),
  outlet_id TEXT REFERENCES outlets(id),
  source_id INTEGER REFERENCES sources(id),   -- a listing was read; null: a page
  article_id INTEGER REFERENCES articles(id),
  url TEXT NOT NULL,
  at TEXT NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok','unchanged','gone','blocked','outage','tls','timeout','too_large',
                                           'refused','not_article','unreadable')),
  bytes INTEGER,
  ms INTEGER,
  error TEXT
) STRICT;
CREATE INDEX fetches_at ON fetches (at);
CREATE INDEX fetches_outlet ON fetches (outlet_id, at);
CREATE INDEX fetches_article ON fetches (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX fetches_crawl ON fetches (crawl_id, url);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('new','edited','withdrawn','restored')),
  article_id INTEGER NOT NULL REFERENCES articles(id),
  version_id INTEGER REFERENCES versions(id),
  backlog INTEGER NOT NULL DEFAULT 0 CHECK (backlog IN (0,1)),
  detail TEXT CHECK (detail IS NULL OR json_valid(detail))
) STRICT;
CREATE INDEX events_article ON events (article_id);
CREATE INDEX events_at ON events (at);

CREATE TABLE mails (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email')),
  recipient TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('instant','digest')),
  message_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','sending','sent','failed')),
  created_at TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT,
  sent_at TEXT,
  error TEXT
) STRICT;
CREATE INDEX mails_due ON mails (state, next_attempt_at);

CREATE TABLE mail_events (
  mail_id INTEGER NOT NULL REFERENCES mails(id),
  rule TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  event_id INTEGER NOT NULL REFERENCES events(id),
  UNIQUE (rule, channel, recipient, event_id)
) STRICT;
CREATE INDEX mail_events_mail ON mail_events (mail_id);
CREATE INDEX mail_events_event ON mail_events (event_id);

-- The frontier: addresses found in a listing and not yet read. A row leaves in the transaction that keeps its article.
CREATE TABLE frontier (
  url TEXT PRIMARY KEY,
  outlet_id TEXT REFERENCES outlets(id),
  source_id INTEGER REFERENCES sources(id),
  found_at TEXT NOT NULL,
  backlog INTEGER NOT NULL DEFAULT 0 CHECK (backlog IN (0,1)),
  title TEXT,
  published_at TEXT,
  author TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at TEXT                   -- null: given up after repeated failures; kept so that it is not found anew
) STRICT;
CREATE INDEX frontier_due ON frontier (outlet_id, next_at);

-- Hosts that asked us to wait (Retry-After), across crawls and restarts.
CREATE TABLE hosts (
  host TEXT PRIMARY KEY,
  not_before TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

-- What another process asked the running service to do.
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('crawl','save')),
  target TEXT NOT NULL,          -- an outlet id, or an address
  at TEXT NOT NULL,
  crawl_id INTEGER REFERENCES crawls(id),
  done_at TEXT,
  error TEXT
) STRICT;

-- Normalised by archive.arabic.normalise; rowid = article id. Search it through ar_query().
CREATE VIRTUAL TABLE articles_fts USING fts5(title, text, tokenize = "unicode61 remove_diacritics 0");

CREATE VIEW history AS
SELECT v.article_id,
       row_number() OVER (PARTITION BY v.article_id ORDER BY v.captured_at, v.id) AS number,
       v.id AS version_id, v.captured_at, v.title, v.author, v.published_at, v.published_source, v.modified_at,
       v.credit, v.extractor, v.capture_id, v.text
FROM versions v;

-- By look-up, not by joining history with itself, which would number every version of the archive first.
CREATE VIEW changes AS
SELECT after.article_id,
       (SELECT count(*) FROM versions n WHERE n.article_id = after.article_id
          AND (n.captured_at, n.id) <= (after.captured_at, after.id)) AS number,
       before.id AS from_version_id, after.id AS version_id,
       before.captured_at AS seen_before_at, after.captured_at AS seen_after_at,
       before.title AS title_before, after.title AS title_after,
       before.text AS text_before, after.text AS text_after
FROM versions after
JOIN versions before ON before.id = (
  SELECT p.id FROM versions p WHERE p.article_id = after.article_id
    AND (p.captured_at, p.id) < (after.captured_at, after.id) ORDER BY p.captured_at DESC, p.id DESC LIMIT 1);

CREATE VIEW latest AS
SELECT a.id AS article_id, a.outlet_id, a.url, a.status, a.gone_at, a.backlog, v.title, v.author, v.published_at,
       v.published_source, v.credit, v.language, a.first_seen_at, a.last_checked_at, v.captured_at,
       (SELECT count(*) FROM versions n WHERE n.article_id = a.id) AS versions,
       (SELECT group_concat(topic, ', ') FROM (SELECT topic FROM matches WHERE version_id = v.id
          AND strength = 'substantive' ORDER BY topic)) AS topics,
       (SELECT group_concat(topic, ', ') FROM (SELECT topic FROM matches WHERE version_id = v.id
          AND strength = 'passing' ORDER BY topic)) AS passing,
       v.id AS version_id, v.text
FROM articles a JOIN versions v ON v.id = a.latest_version_id;
