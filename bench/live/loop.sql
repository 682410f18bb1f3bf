DO $$
BEGIN
    FOR n IN 1..1000 LOOP
        INSERT INTO orders (customer_id, ordered_at, amount) VALUES (1 + floor(:customers * random()), now(), 12.34);
    END LOOP;
END $$;
