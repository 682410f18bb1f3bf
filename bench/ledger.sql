-- A store over the orders alone: what it computes is what analyst.sql computes.

\set ON_ERROR_STOP on

SELECT clientele.create_store('ledger', orders => 'public.orders', customers => 'public.customers', currency => 'USD', time_zone => 'UTC') \g /dev/null
