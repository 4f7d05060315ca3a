-- Who changed what. Each entry's link covers its content and the link before it (`domain::audit`),
-- so the JSON is kept as the text that was hashed. The older table held the changes of pools alone,
-- and no release has had it.
CREATE TABLE audit (
    place     INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    by_whom   TEXT    NOT NULL,
    action    TEXT    NOT NULL CHECK (action <> ''),
    subject   TEXT    NOT NULL,
    old_value TEXT,
    new_value TEXT,
    link      BLOB    NOT NULL CHECK (length(link) = 32)
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only ever appended to'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only ever appended to'); END;

DROP TABLE pool_override_history;
