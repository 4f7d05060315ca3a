-- Who changed what. Each entry's link covers its content and the link before it (`domain::audit`),
-- so the JSON is kept as the text that was hashed. A row is appended without a place; whoever gives
-- the log's events theirs gives this its place and link, as only then its order is settled. The
-- older table held the changes of pools alone, and no release has had it.
CREATE TABLE audit (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place     BIGINT UNIQUE,
    at        BIGINT NOT NULL,
    by_whom   TEXT   NOT NULL,
    action    TEXT   NOT NULL CHECK (action <> ''),
    subject   TEXT   NOT NULL,
    old_value TEXT,
    new_value TEXT,
    link      BYTEA  CHECK (octet_length(link) = 32),
    CHECK ((place IS NULL) = (link IS NULL))
);
CREATE INDEX audit_unchained ON audit (id) WHERE place IS NULL;
CREATE FUNCTION audit_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.place IS NULL AND (NEW.id, NEW.at, NEW.by_whom, NEW.action,
        NEW.subject, NEW.old_value, NEW.new_value) IS NOT DISTINCT FROM (OLD.id, OLD.at,
        OLD.by_whom, OLD.action, OLD.subject, OLD.old_value, OLD.new_value) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is only ever appended to';
END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_appended_to();

DROP TABLE pool_override_history;
