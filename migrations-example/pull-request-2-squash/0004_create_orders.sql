/* Orders and their lines. Prices are copied, because a product's price changes. */
CREATE TABLE orders (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users,
    ordered_at timestamptz NOT NULL DEFAULT now(),
    total      numeric(12, 2) NOT NULL DEFAULT 0
);

CREATE TABLE order_lines (
    order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES products,
    quantity   integer NOT NULL CHECK (quantity > 0),
    price      numeric(10, 2) NOT NULL,
    PRIMARY KEY (order_id, product_id)
);

CREATE INDEX orders_user_id ON orders (user_id);
CREATE INDEX order_lines_product_id ON order_lines (product_id);
