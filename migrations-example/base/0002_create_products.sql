CREATE TYPE product_state AS ENUM ('draft', 'on sale', 'sold out');

CREATE TABLE products (
    id    serial PRIMARY KEY,
    name  text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price >= 0),
    state product_state NOT NULL DEFAULT 'draft'
);

INSERT INTO products (name, price, state)
SELECT 'Product ' || n, n * 1.25, 'on sale'
FROM generate_series(1, 1000) AS n;
