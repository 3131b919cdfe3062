ALTER TABLE users ADD COLUMN country char(2) REFERENCES countries;

UPDATE users SET country = 'GB' WHERE name LIKE 'Ada %';
UPDATE users SET country = 'US' WHERE name LIKE ANY (ARRAY['Grace %', 'Ken %']);
