-- Looks at articles by host and time, so that the budget of each host is told at once.
CREATE INDEX fetches_host ON fetches (substr(url, 1, instr(substr(url, 9), '/') + 8), at, outlet_id) WHERE article_id IS NOT NULL;
