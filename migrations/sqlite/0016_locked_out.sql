-- Since when the shop itself doesn't let somebody in, whatever their own customer says.
ALTER TABLE account ADD COLUMN locked_at INTEGER;
