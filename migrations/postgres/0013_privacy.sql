-- Orders of customers who were erased are looked for until none of them names a person.
CREATE INDEX customer_erased ON customer (id) WHERE erased_at IS NOT NULL;

-- Guests of one address beyond a bound are dropped, the longest unseen first.
CREATE INDEX session_guests ON session (address, seen_at) WHERE account_id IS NULL;
