-- What is learned of how customers respond to offers, from the log that issuing keeps.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE SCHEMA responses;
SET search_path = responses, public;

CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
INSERT INTO orders SELECT 100 * c + place, c, now() - (10 + c % 7 + 20 * place) * interval '1 day',
    round((40 * exp(clientele.bucket('mean', c::text) - 0.5 + 0.6 * (clientele.bucket('spread', c || ':' || place) - 0.5)))::numeric, 2)
FROM generate_series(1, 400) AS c, generate_series(1, 1 + c % 6) AS place;
SELECT clientele.create_store('rs', orders => 'responses.orders', margin => 0.3);
CALL clientele.refresh('rs');

-- ---- What the log keeps ----
SELECT clientele.define_offer('rs', 'arms', 'grow_order_value', max_cv => NULL, holdout => 0.2,
    arms => '[{"stretch": 1.3, "reward_rate": 0.02}, {"stretch": 1.9, "reward_rate": 0.06}]');
SELECT min_spend > 0 AS asked FROM clientele.issue_offer(1, 'rs');
CALL clientele.issue_offers('rs');
SELECT variant, status, drawn_stretch, drawn_reward_rate, margin, count(*) > 20 AS many FROM rs.exposures GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
-- It is what was known then, whether the offer was issued alone or with all; a refresh that finds more does not change it.
CREATE TABLE known AS
SELECT e.customer_id, e.log_mean, e.log_sd, clientele.log_value_mean(p.profile, s.value_prior) AS mean, clientele.log_value_sd(p.profile, s.value_prior) AS sd
FROM rs.exposures e JOIN rs.profiles p USING (customer_id), rs.scoring s;
SELECT count(*), count(*) FILTER (WHERE (log_mean, log_sd) IS DISTINCT FROM (mean, sd)) AS differ FROM known;
INSERT INTO orders SELECT 100 * c + 50, c, now(), 500 FROM generate_series(1, 400) AS c;
CALL clientele.refresh('rs');
SELECT count(*) FILTER (WHERE (e.log_mean, e.log_sd) IS DISTINCT FROM (k.mean, k.sd)) AS changed,
       count(*) FILTER (WHERE clientele.log_value_mean(p.profile, s.value_prior) = k.mean) AS same_now
FROM rs.exposures e JOIN known k USING (customer_id) JOIN rs.profiles p USING (customer_id), rs.scoring s;
-- Terms that follow from the customer were not drawn, nor those of a single arm.
SELECT clientele.define_offer('rs', 'arms', 'grow_order_value', max_cv => NULL, arms => '[{"stretch": 1.3, "reward_rate": 0.02, "weight": 1}]');
SELECT clientele.withdraw_offer(exposure_id) IS NOT NULL AS withdrawn FROM rs.exposures WHERE status = 'offered' ORDER BY customer_id LIMIT 1;
SELECT e.drawn_stretch, e.log_mean > 0 AS known FROM rs._offer_inputs i, clientele._enrol(rs._offer_book(), i.input, NULL, NULL) e WHERE i.open_exposure IS NULL LIMIT 1;
-- Nothing is known before a refresh has looked at the customers.
UPDATE rs.scoring SET value_prior = NULL;
SELECT e.log_mean, e.min_spend > 0 AS asked FROM rs._offer_inputs i, clientele._enrol(rs._offer_book(), i.input, NULL, NULL) e WHERE i.open_exposure IS NULL LIMIT 1;
SELECT clientele.drop_store('rs', force => true);
