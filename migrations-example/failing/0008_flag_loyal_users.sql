ALTER TABLE users ADD COLUMN loyal boolean NOT NULL DEFAULT false;

UPDATE users
SET loyal = true, flag = 'Zoë' || flags
WHERE id IN (SELECT user_id FROM orders WHERE total > 100);

CREATE INDEX users_loyal ON users (id) WHERE loyal;
