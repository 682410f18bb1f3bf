-- A till with what people write today: triggers that keep count and sum by customer.

\set ON_ERROR_STOP on

SET search_path = till_upsert;
CREATE TABLE totals (customer_id bigint PRIMARY KEY, orders bigint NOT NULL, spent numeric NOT NULL);
INSERT INTO totals SELECT customer_id, count(*), sum(amount) FROM orders GROUP BY 1;
CREATE FUNCTION add_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO till_upsert.totals AS t SELECT customer_id, count(*), sum(amount) FROM added GROUP BY 1
    ON CONFLICT (customer_id) DO UPDATE SET orders = t.orders + excluded.orders, spent = t.spent + excluded.spent;
    RETURN NULL;
END $$;
CREATE FUNCTION add_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO till_upsert.totals AS t SELECT customer_id, sum(orders), sum(spent)
    FROM (SELECT customer_id, 1 AS orders, amount AS spent FROM added UNION ALL SELECT customer_id, -1, -amount FROM removed) AS c GROUP BY 1
    ON CONFLICT (customer_id) DO UPDATE SET orders = t.orders + excluded.orders, spent = t.spent + excluded.spent;
    RETURN NULL;
END $$;
CREATE TRIGGER inserted AFTER INSERT ON orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_inserted();
CREATE TRIGGER updated AFTER UPDATE ON orders REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION add_updated();
