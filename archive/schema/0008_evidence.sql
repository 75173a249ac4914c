-- What stands before a capture's record in its file: the request, and at the start of a file what the file is.
ALTER TABLE captures ADD COLUMN request_sha256 TEXT;   -- null: stored before this step

CREATE INDEX versions_capture ON versions (capture_id);

-- Files nothing more is appended to, hashed whole. The newest row of a file holds; a redaction adds one.
CREATE TABLE warc_files (
  id INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  length INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX warc_files_file ON warc_files (file);

-- Articles whose text and captures were taken out, and the hashes of what stood there.
CREATE TABLE redactions (
  article_id INTEGER PRIMARY KEY REFERENCES articles(id),
  reason TEXT NOT NULL,
  at TEXT NOT NULL,
  done_at TEXT                   -- null: begun; the next start of Rasid ends it
) STRICT;
CREATE TABLE redacted_fields (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  field TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (version_id, field)
) STRICT, WITHOUT ROWID;

DROP TRIGGER versions_no_update;
CREATE TRIGGER versions_no_update BEFORE UPDATE ON versions
  WHEN NOT EXISTS (SELECT 1 FROM redactions WHERE article_id = OLD.article_id AND done_at IS NULL)
  BEGIN SELECT raise(ABORT, 'a version is never changed'); END;
CREATE TRIGGER redacted_not_kept BEFORE INSERT ON versions
  WHEN EXISTS (SELECT 1 FROM redactions WHERE article_id = NEW.article_id)
  BEGIN SELECT raise(ABORT, 'the article was redacted; it is not kept again'); END;
CREATE TRIGGER redacted_not_due AFTER UPDATE OF next_check_at ON articles
  WHEN NEW.next_check_at IS NOT NULL AND EXISTS (SELECT 1 FROM redactions WHERE article_id = NEW.id)
  BEGIN UPDATE articles SET next_check_at = NULL WHERE id = NEW.id; END;

-- What a time-stamping authority signed of the ledger.
CREATE TABLE stamps (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  seq INTEGER NOT NULL,          -- the ledger's last row then
  head TEXT NOT NULL,
  url TEXT NOT NULL,             -- of the authority
  token BLOB NOT NULL            -- its answer (RFC 3161, DER)
) STRICT;
