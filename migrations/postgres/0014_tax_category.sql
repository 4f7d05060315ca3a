-- Which products are taxed alike. What was there before names none, which is the standard one.
ALTER TABLE product ADD COLUMN tax_category TEXT NOT NULL DEFAULT 'standard'
    CHECK (length(tax_category) BETWEEN 1 AND 32);
