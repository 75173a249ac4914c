-- Troubles of the service itself, told to operators.
CREATE TABLE notices (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,             -- what kind of trouble, where
  text TEXT NOT NULL,
  at TEXT NOT NULL,              -- when it began
  last_at TEXT NOT NULL,         -- when it was last found
  cleared_at TEXT                -- when it was over
) STRICT;
CREATE INDEX notices_key ON notices (key);

-- Mails also go through other channels and tell of notices. A check cannot be altered, so both tables are made anew.
CREATE TEMP TABLE told AS SELECT * FROM mail_events;
CREATE TEMP TABLE sent AS SELECT * FROM mails;
DROP TABLE mail_events;
DROP TABLE mails;
CREATE TABLE mails (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email','apprise')),
  recipient TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('instant','digest','notice')),
  message_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','sending','sent','failed')),
  created_at TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT,
  sent_at TEXT,
  error TEXT,
  notice_id INTEGER REFERENCES notices(id)
) STRICT;
CREATE INDEX mails_due ON mails (state, next_attempt_at);
CREATE INDEX mails_recipient ON mails (recipient, created_at);
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
INSERT INTO mails SELECT *, NULL FROM sent;
INSERT INTO mail_events SELECT * FROM told;
DROP TABLE sent;
DROP TABLE told;
