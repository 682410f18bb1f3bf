-- A store over a till: :store, of the schema :till. Live where :live is true.

\set ON_ERROR_STOP on
CREATE EXTENSION IF NOT EXISTS clientele;

SELECT clientele.create_store(:'store', orders => :'till' || '.orders', customers => 'public.till_customers',
    attributes => '{city_type}', live => :live) \g /dev/null
SELECT clientele.define_segment(:'store', 'regulars', 'orders >= 4 AND typical_order_value >= 30') \g /dev/null
SELECT clientele.define_segment(:'store', 'urban', $$ city_type = 'urban' $$) \g /dev/null
SELECT clientele.set_default_segment(:'store', 'others') \g /dev/null
SELECT clientele.define_offer(:'store', 'stretch', 'grow_order_value', stretch => 1.4, reward_rate => 0.05,
    message => 'Spend {min_spend} or more, get {reward} off') \g /dev/null
CALL clientele.refresh(:'store', true);
