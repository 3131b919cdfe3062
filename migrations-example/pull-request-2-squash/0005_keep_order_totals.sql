-- The total of an order follows its lines.
CREATE FUNCTION refresh_order_total() RETURNS trigger
LANGUAGE plpgsql AS $function$
BEGIN
    UPDATE orders
    SET total = (SELECT coalesce(sum(quantity * price), 0)
                 FROM order_lines
                 WHERE order_id = orders.id)
    WHERE id IN (OLD.order_id, NEW.order_id);
    RETURN NULL; -- ignored: this is an AFTER trigger
END;
$function$;

CREATE TRIGGER order_lines_total
AFTER INSERT OR UPDATE OR DELETE ON order_lines
FOR EACH ROW EXECUTE FUNCTION refresh_order_total();

INSERT INTO orders (user_id) SELECT id FROM users;
INSERT INTO order_lines (order_id, product_id, quantity, price)
SELECT o.id, p.id, 1 + p.id % 3, p.price
FROM orders o JOIN products p ON p.id % 100 = o.id;
