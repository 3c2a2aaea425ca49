-- The person who made a token: it may do no more than they may at that moment. None where it was made at a shell.
ALTER TABLE tokens ADD COLUMN maker TEXT REFERENCES users (id);

-- Of the tokens that are there: their maker's number ends `made_by`.
UPDATE tokens SET maker = (
    SELECT users.id FROM users WHERE tokens.made_by LIKE 'person % #' || CAST(users.telegram_id AS TEXT)
);
