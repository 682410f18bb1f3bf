-- The store: the five segments, the contents and the three programs of demo/demo.sql.

\set ON_ERROR_STOP on
CREATE EXTENSION clientele;

SELECT clientele.create_store('shop',
    orders     => 'public.orders',
    customers  => 'public.customers',
    attributes => '{birth_date,children,mobility_help,city_type}',
    items      => 'public.order_items',
    currency   => 'USD', time_zone => 'America/New_York', margin => 0.30) \g /dev/null

SELECT clientele.define_segment('shop', 'families',
    $$ children > 0 OR category_share(category_mix, 'baby') >= 0.1 $$) \g /dev/null
SELECT clientele.define_segment('shop', 'seniors_and_mobility',
    $$ birth_date <= as_of AT TIME ZONE 'America/New_York' - interval '65 years' OR mobility_help $$,
    sensitive => true) \g /dev/null
SELECT clientele.define_segment('shop', 'busy_professionals',
    $$ orders >= 3 AND evening_share >= 0.5
       AND (category_share(category_mix, 'ready_meals') >= 0.2 OR weekend_share < 0.3) $$) \g /dev/null
SELECT clientele.define_segment('shop', 'urban_residents',
    $$ city_type = 'urban' AND (orders = 0 OR typical_order_value < 60) $$) \g /dev/null
SELECT clientele.set_default_segment('shop', 'average') \g /dev/null

SELECT clientele.define_content('shop', 'home', content, segment, body)
FROM (VALUES ('post A', 'families',             'Ten dinners that children eat'),
             ('post B', 'seniors_and_mobility', 'We carry it up to your kitchen'),
             ('post B', 'average',              'Delivered when it suits you'),
             ('post C', 'busy_professionals',   'Dinner in twelve minutes'),
             ('post C', 'urban_residents',      'At your door within the hour')) AS post (content, segment, body) \g /dev/null

SELECT clientele.define_offer('shop', 'win-back', 'win_back', reward_rate => 0.10,
    segments   => '{families,seniors_and_mobility}',
    message    => 'We miss you: {reward} off from {min_spend}',
    disclosure => 'This offer was set by an algorithm using your personal data.') \g /dev/null
SELECT clientele.define_offer('shop', 'second-order', 'second_order', reward_rate => 0.10,
    message    => 'Come again: {reward} off from {min_spend}') \g /dev/null
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value',
    stretch => 1.4, reward_rate => 0.05, max_cv => 0.45, valid_for => '14 days', holdout => 0.1,
    message    => 'Spend {min_spend} or more, get {reward} off') \g /dev/null

-- What a look-up costs in PL/pgSQL that does nothing else.
CREATE FUNCTION bench.look_up(id bigint) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found bigint;
BEGIN
    SELECT p.customer_id INTO found FROM shop.profiles AS p WHERE p.customer_id = id;
    RETURN found;
END $$;
