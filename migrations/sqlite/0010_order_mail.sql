-- The order that a mail tells of: what it says is written when it is sent, of the order as it is
-- then. `body` is the token of a guest's link meanwhile, or nothing.
ALTER TABLE mail ADD COLUMN order_id BLOB CHECK (length(order_id) = 16);
CREATE INDEX mail_by_order ON mail (order_id) WHERE order_id IS NOT NULL;
