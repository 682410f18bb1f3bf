-- Content: which of a slot's posts a customer is shown.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
CREATE SCHEMA content_test;
SET search_path = content_test, public;
CREATE TABLE orders (customer_id uuid, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
    ('00000000-0000-0000-0000-000000000001', '2025-01-01', 10), ('00000000-0000-0000-0000-000000000001', '2025-02-01', 10),
    ('00000000-0000-0000-0000-000000000002', '2025-01-01', 100), ('00000000-0000-0000-0000-000000000003', '2025-01-01', 50);
SELECT clientele.create_store('posts', 'orders');
CALL clientele.refresh('posts');
SELECT clientele.define_segment('posts', 'big', 'aov > 60');
SELECT clientele.define_segment('posts', 'loyal', 'orders >= 2');
SELECT clientele.define_segment('posts', 'elsewhere', 'true', segmentation => 'other');

-- Without content there is none; with one for the default segment everybody has it.
\set one '''00000000-0000-0000-0000-000000000001'''
SELECT clientele.content_for(:one, 'home', 'posts');
SELECT clientele.define_content('posts', 'home', 'post A');
SELECT clientele.define_content('posts', 'home', 'post B', 'big', 'For large baskets');
SELECT clientele.define_content('posts', 'home', 'post C', 'loyal');
SELECT clientele.define_content('posts', 'mail', 'letter', 'loyal');
SELECT * FROM posts.contents ORDER BY slot, segment;
SELECT customer_id, segment, clientele.content_for(customer_id, 'home', 'posts') AS home, clientele.content_for(customer_id, 'mail', 'posts') AS mail
FROM posts.customers ORDER BY 1;
SELECT customer_id, segment, content FROM posts.campaign ORDER BY 1;

-- Any type of key, unknown customers and slots, past times.
SELECT clientele.content_for(:one, 'home', 'posts'), clientele.content_for(:one::uuid, 'home', 'posts'), clientele.content_for(:one::text, 'home', 'posts');
SELECT clientele.content_for('00000000-0000-0000-0000-000000000099', 'home', 'posts') AS unknown,
    clientele.content_for(NULL, 'home', 'posts') AS no_customer, clientele.content_for(:one, 'nowhere', 'posts') AS no_slot,
    clientele.content_for(:one, NULL, 'posts') AS null_slot;
SELECT clientele.content_for(:one, 'home', 'posts', '2025-01-15') AS before_second_order;
SELECT clientele.content_for('one', 'home', 'posts');

-- A changed definition, and a new default segment, which takes its contents along.
SELECT clientele.define_content('posts', 'home', 'post D', 'loyal');
SELECT clientele.content_for(:one, 'home', 'posts');
SELECT clientele.set_default_segment('posts', 'average');
SELECT * FROM posts.contents ORDER BY slot, segment;
SELECT clientele.define_content('posts', 'home', 'post E', 'average');
SELECT clientele.content_for('00000000-0000-0000-0000-000000000003', 'home', 'posts');

-- What is refused.
SELECT clientele.define_content(NULL, 'home', 'x');
SELECT clientele.define_content('posts', NULL, 'x');
SELECT clientele.define_content('posts', 'home', NULL);
SELECT clientele.define_content('posts', ' ', 'x');
\set VERBOSITY terse
SELECT clientele.define_content('nowhere', 'home', 'x');
\set VERBOSITY default
SELECT clientele.define_content('posts', 'home', 'x', 'default');
SELECT clientele.define_content('posts', 'home', 'x', 'elsewhere');
SELECT clientele.drop_segment('posts', 'loyal');
SELECT clientele.drop_content('posts', 'mail');
SELECT clientele.drop_content('posts', 'nowhere', 'big');
SELECT clientele.drop_content('posts', NULL);

-- Dropped content falls back to the default segment's, and no longer holds the segment.
SELECT clientele.drop_content('posts', 'home', 'loyal');
SELECT clientele.drop_content('posts', 'mail', 'loyal');
SELECT clientele.content_for(:one, 'home', 'posts');
SELECT clientele.drop_segment('posts', 'loyal');
SELECT clientele.drop_content('posts', 'home');
SELECT clientele.content_for(:one, 'home', 'posts');

SELECT clientele.drop_store('posts');
DROP SCHEMA content_test CASCADE;
